using System.Buffers.Binary;

namespace Cloister.Images.Channel;

/// <summary>One program that the host asked for.</summary>
public sealed class HostExec
{
    private readonly HostChannel _channel;
    private readonly StreamQueue _output = new();
    private readonly StreamWindow _window = new();
    private readonly TaskCompletionSource<ExecExit> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal HostExec(HostChannel channel, uint number) => (_channel, Number) = (channel, number);

    /// <summary>Its number, unique while the machine runs.</summary>
    public uint Number { get; }

    /// <summary>How it ended or why it did not start; faulted if the machine ends before.</summary>
    public Task<ExecExit> Exit => _exit.Task;

    /// <summary>The next that it wrote; null when it ended and all was read.</summary>
    /// <exception cref="ImageException">The machine ended before the program.</exception>
    public async ValueTask<(ProgramStream From, ReadOnlyMemory<byte> Bytes)?> ReadAsync(CancellationToken cancellation)
    {
        if (await _output.TakeAsync(cancellation) is not var (chunk, give))
            return null;
        if (give > 0 && !_exit.Task.IsCompleted)
            await _channel.GiveAsync(Number, give, cancellation);
        return ((ProgramStream)chunk.Span[0], chunk[1..]);
    }

    /// <summary>Sends bytes for its standard input; waits until it has read enough of what came before. Does nothing once it ended.</summary>
    public async Task WriteInputAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        for (ReadOnlyMemory<byte> rest = bytes; !rest.IsEmpty;)
        {
            ReadOnlyMemory<byte> chunk = rest[..Math.Min(rest.Length, Frame.ChunkLimit)];
            if (!await _window.TakeAsync(chunk.Length, cancellation))
                return;
            await _channel.WriteAsync(FrameKind.Input, Number, chunk, cancellation);
            rest = rest[chunk.Length..];
        }
    }

    /// <summary>Ends its standard input.</summary>
    public Task EndInputAsync(CancellationToken cancellation) => _exit.Task.IsCompleted ? Task.CompletedTask : _channel.WriteAsync(FrameKind.Input, Number, default, cancellation);

    /// <summary>Sends it a signal, 1 to 64.</summary>
    public Task SignalAsync(int signal, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(signal, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(signal, 64);
        return _exit.Task.IsCompleted ? Task.CompletedTask : _channel.WriteAsync(FrameKind.Signal, Number, new[] { (byte)signal }, cancellation);
    }

    internal void Take(Frame frame)
    {
        if (frame.Kind == FrameKind.Output && !_output.Add(frame.Payload))
            throw Frame.Invalid($"the machine sends more of stream {Number} than was asked for");
        if (frame.Kind == FrameKind.Window && (frame.Payload.Length != 4 || !_window.Give(BinaryPrimitives.ReadUInt32LittleEndian(frame.Payload.Span))))
            throw Frame.Invalid($"the machine takes more for stream {Number} than it was sent");
    }

    internal void End(ExecExit exit)
    {
        _exit.TrySetResult(exit);
        _output.End();
        _window.Close();
    }

    internal void Fail(Exception fault)
    {
        _exit.TrySetException(fault);
        _ = _exit.Task.Exception; // whoever waits sees it; nobody must
        _output.End(fault);
        _window.Close();
    }
}
