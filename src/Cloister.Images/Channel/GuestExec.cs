using System.Buffers.Binary;
using System.Text.Json;
using System.Threading.Channels;

namespace Cloister.Images.Channel;

/// <summary>One program that the host wants started, as the agent sees it: allow or refuse it, feed it, pass on what it writes, say how it ended.</summary>
public sealed class GuestExec
{
    private const int MaximumSignals = 64;

    private readonly GuestChannel _channel;
    private bool _exited;
    private readonly StreamQueue _input = new();
    private readonly StreamWindow _window = new();
    private readonly Channel<int> _signals = System.Threading.Channels.Channel.CreateBounded<int>(new BoundedChannelOptions(MaximumSignals) { FullMode = BoundedChannelFullMode.DropWrite });

    internal GuestExec(GuestChannel channel, uint number, ExecRequest request)
    {
        (_channel, Number, Request) = (channel, number, request);
        if (!request.Input)
            _input.End();
    }

    /// <summary>Its number, unique while the machine runs.</summary>
    public uint Number { get; }

    /// <summary>What is wanted. Nothing of it is checked against the image yet.</summary>
    public ExecRequest Request { get; }

    /// <summary>Signals for it, 1 to 64; 9 also when the host went away. Completed at the end.</summary>
    public ChannelReader<int> Signals => _signals.Reader;

    /// <summary>The next bytes for its standard input; null at their end.</summary>
    /// <exception cref="ImageException">The channel ended.</exception>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadInputAsync(CancellationToken cancellation)
    {
        if (await _input.TakeAsync(cancellation) is not var (chunk, give))
            return null;
        if (give > 0)
        {
            byte[] amount = new byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(amount, give);
            await SendAsync(FrameKind.Window, amount, cancellation);
        }
        return chunk;
    }

    /// <summary>Passes on what it wrote; waits until whoever asked for it has taken enough of what came before.</summary>
    /// <param name="from">Which of its outputs.</param>
    /// <param name="bytes">Any number; sent in chunks of at most 64 KiB.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task WriteAsync(ProgramStream from, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        for (ReadOnlyMemory<byte> rest = bytes; !rest.IsEmpty;)
        {
            ReadOnlyMemory<byte> chunk = GuestChannel.Named(from, rest[..Math.Min(rest.Length, Frame.ChunkLimit)]);
            if (!await _window.TakeAsync(chunk.Length, cancellation))
                return; // nobody listens any more
            await SendAsync(FrameKind.Output, chunk, cancellation);
            rest = rest[(chunk.Length - 1)..];
        }
    }

    /// <summary>Says how it ended or why it did not start; nothing is sent for it afterwards.</summary>
    public async Task ExitAsync(ExecExit exit, CancellationToken cancellation)
    {
        byte[] last = JsonSerializer.SerializeToUtf8Bytes(exit, ChannelJson.Default.ExecExit);
        _channel.Forget(Number); // before the host can hear of it and ask for another
        await _channel.WriteAsync(FrameKind.Exit, Number, last, () => !Interlocked.Exchange(ref _exited, true), cancellation);
        Close();
    }

    internal void Take(Frame frame)
    {
        switch (frame.Kind)
        {
            case FrameKind.Input when frame.Payload.IsEmpty:
                _input.End();
                break;
            case FrameKind.Input:
                if (!_input.Add(frame.Payload))
                    throw Frame.Invalid($"the host sends more input for stream {Number} than was asked for");
                break;
            case FrameKind.Signal:
                int signal = frame.Payload.Length == 1 ? frame.Payload.Span[0] : 0;
                if (signal is < 1 or > 64)
                    throw Frame.Invalid("a signal is a byte from 1 to 64");
                _signals.Writer.TryWrite(signal);
                break;
            case FrameKind.Window:
                if (frame.Payload.Length != 4 || !_window.Give(BinaryPrimitives.ReadUInt32LittleEndian(frame.Payload.Span)))
                    throw Frame.Invalid($"the host takes more from stream {Number} than it was sent");
                break;
        }
    }

    // What waits for its turn when the program ends is not sent: the exit is the stream's last frame.
    private Task SendAsync(FrameKind kind, ReadOnlyMemory<byte> payload, CancellationToken cancellation) =>
        _channel.WriteAsync(kind, Number, payload, () => !Volatile.Read(ref _exited), cancellation);

    internal void End(Exception fault)
    {
        _input.End(fault);
        _signals.Writer.TryWrite(9);
        Close();
    }

    private void Close()
    {
        _input.End();
        _window.Close();
        _signals.Writer.TryComplete();
    }
}
