using System.Globalization;
using Cloister.Platform.Tpm.Commands;

namespace Cloister.Platform.Tpm;

/// <summary>The TPM in one's own hands for one piece of work. Whatever was loaded in it is flushed at the end, and somebody else has a turn.</summary>
internal sealed class TpmChannel : IAsyncDisposable
{
    private readonly TpmTransport _transport;
    private readonly TpmConnection _connection;
    private readonly SemaphoreSlim _turn;
    private readonly List<TpmObject> _loaded = [];
    private bool _swept;

    public TpmChannel(TpmTransport transport, TpmConnection connection, SemaphoreSlim turn) => (_transport, _connection, _turn) = (transport, connection, turn);

    /// <summary>Runs a command without a handle in its answer. The command is zeroed.</summary>
    /// <exception cref="PlatformException">The TPM refused (<see cref="PlatformException.TpmCode"/>), was lost, or answered nonsense.</exception>
    public async ValueTask<TpmAnswer> RunAsync(TpmCommand command, CancellationToken cancellation) => (await RunAsync(command, hasHandle: false, cancellation)).Answer;

    /// <summary>Runs a command that loads an object or starts a session; it is flushed when it is disposed, at the latest with the channel.</summary>
    public async ValueTask<(TpmObject Loaded, TpmAnswer Answer)> LoadAsync(TpmCommand command, CancellationToken cancellation)
    {
        (TpmAnswer answer, uint handle) = await RunAsync(command, hasHandle: true, cancellation);
        var loaded = new TpmObject(this, handle);
        _loaded.Add(loaded);
        return (loaded, answer);
    }

    internal ValueTask<byte[]> SendAsync(ReadOnlyMemory<byte> command, CancellationToken cancellation) => _transport.SendAsync(_connection, command, cancellation);

    /// <summary>Flushes one loaded object or session. A TPM that lost it already (a reset) has nothing to flush.</summary>
    internal async ValueTask FlushAsync(TpmObject one)
    {
        if (!_loaded.Remove(one) || !_connection.IsUsable) return;
        using TpmCommand command = HandleCommands.Flush(one.Handle);
        await SendAsync(command.Finish(), CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            while (_loaded.Count > 0 && _connection.IsUsable)
                await FlushAsync(_loaded[^1]);
        }
        finally
        {
            await _connection.DisposeAsync();
            _turn.Release();
        }
    }

    private async ValueTask<(TpmAnswer Answer, uint Handle)> RunAsync(TpmCommand command, bool hasHandle, CancellationToken cancellation)
    {
        using (command)
        {
            ReadOnlyMemory<byte> bytes = command.Finish();
            byte[] answer = await SendAsync(bytes, cancellation);
            uint code = TpmAnswer.CodeOf(answer);
            if (TpmResponseCode.IsFull(code) && await SweepAsync(cancellation))
            {
                answer = await SendAsync(bytes, cancellation);
                code = TpmAnswer.CodeOf(answer);
            }
            if (code != TpmResponseCode.Success) throw Refused(command.Code, code);
            TpmAnswer opened = TpmAnswer.Open(answer, command.Sessions, hasHandle, out uint handle);
            return (opened, handle);
        }
    }

    /// <summary>
    /// Makes room in a TPM that only one program uses at a time: whatever is loaded and not from this piece of work was left behind by
    /// one that was stopped. A resource manager does that by itself.
    /// </summary>
    private async ValueTask<bool> SweepAsync(CancellationToken cancellation)
    {
        if (_swept || _transport.Address.HasResourceManager) return false;
        _swept = true;
        bool any = false;
        foreach (uint first in (uint[])[TpmHandles.FirstLoadedSession, TpmHandles.FirstTransient])
        {
            foreach (uint handle in await this.HandlesAsync(first, cancellation))
            {
                if (_loaded.Any(one => one.Handle == handle || one.Handle == (handle & 0x00FFFFFF | 0x03000000))) continue;
                using TpmCommand flush = HandleCommands.Flush(handle);
                any |= TpmAnswer.CodeOf(await SendAsync(flush.Finish(), cancellation)) == TpmResponseCode.Success;
            }
        }
        return any;
    }

    private PlatformException Refused(uint command, uint code) =>
        new(TpmResponseCode.ErrorOf(code), string.Create(CultureInfo.InvariantCulture, $"The TPM at {_transport.Address} refused command 0x{command:x3}: {TpmResponseCode.Describe(code)}.")) { TpmCode = code };
}
