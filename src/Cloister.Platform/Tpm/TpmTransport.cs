namespace Cloister.Platform.Tpm;

/// <summary>
/// Sends commands to a TPM, one at a time: over <c>/dev/tpmrm0</c>, <c>/dev/tpm0</c> or a software TPM's Unix socket. It connects for each
/// piece of work and lets go afterwards, so that several programs can share one TPM.
/// </summary>
public sealed class TpmTransport : IDisposable
{
    private const int Tries = 60;
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(5), LastDelay = TimeSpan.FromMilliseconds(500);

    private readonly SemaphoreSlim _turn = new(1, 1);

    private TpmTransport(TpmAddress address, TimeProvider time) => (Address, Time) = (address, time);

    /// <summary>A transport to a TPM; nothing is opened yet.</summary>
    /// <param name="where"><c>/dev/tpmrm0</c>, <c>/dev/tpm0</c> or <c>swtpm:/path/to/server.sock</c>.</param>
    /// <param name="time">Where waiting comes from; the system's by default.</param>
    /// <exception cref="PlatformException"><see cref="PlatformError.TpmAddressInvalid"/>.</exception>
    public static TpmTransport To(string where, TimeProvider? time = null) => new(TpmAddress.Parse(where), time ?? TimeProvider.System);

    internal TpmAddress Address { get; }

    internal TimeProvider Time { get; }

    /// <summary>Sends one finished command and gives the whole answer. A TPM that asks for the same command again (0x922, 0x908, 0x90A, 0x920) gets it, for about half a minute.</summary>
    /// <param name="command">TPM 2.0 Library part 3, at most 4096 bytes.</param>
    /// <param name="cancellation">Ends the wait; what was sent to a device is waited for.</param>
    /// <exception cref="PlatformException">The TPM is not there, was lost, or stays busy. Its own refusals are answers.</exception>
    public async ValueTask<byte[]> SendAsync(ReadOnlyMemory<byte> command, CancellationToken cancellation)
    {
        await using TpmChannel channel = await OpenAsync(cancellation);
        return await channel.SendAsync(command, cancellation);
    }

    /// <summary>Waits for its turn and connects. Whoever has the channel has the TPM, until it is disposed.</summary>
    internal async ValueTask<TpmChannel> OpenAsync(CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            TpmConnection? connection = null;
            for (int i = 0; connection is null; i++)
            {
                connection = await TpmConnection.OpenAsync(Address, Time, cancellation);
                if (connection is not null) break;
                if (i == Tries) throw new PlatformException(PlatformError.TpmBusy, $"Another program keeps {Address.Path} open. Stop it, or use the resource manager's device (/dev/tpmrm0), which several programs can share.");
                await DelayAsync(i, cancellation);
            }
            return new TpmChannel(this, connection, _turn);
        }
        catch
        {
            _turn.Release();
            throw;
        }
    }

    /// <summary>Sends a command until the TPM no longer asks for it again.</summary>
    internal async ValueTask<byte[]> SendAsync(TpmConnection connection, ReadOnlyMemory<byte> command, CancellationToken cancellation)
    {
        for (int i = 0; ; i++)
        {
            byte[] answer = await connection.ExchangeAsync(command, cancellation);
            uint code = TpmAnswer.CodeOf(answer);
            if (!TpmResponseCode.AsksAgain(code)) return answer;
            if (i == Tries) throw new PlatformException(PlatformError.TpmBusy, $"The TPM at {Address} stays busy ({TpmResponseCode.Describe(code)}).") { TpmCode = code };
            await DelayAsync(i, cancellation);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private Task DelayAsync(int tries, CancellationToken cancellation)
    {
        TimeSpan delay = FirstDelay * Math.Pow(2, Math.Min(tries, 10));
        return Task.Delay(delay < LastDelay ? delay : LastDelay, Time, cancellation);
    }
}
