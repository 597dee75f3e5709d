using System.Buffers.Binary;

namespace Cloister.Images.Channel;

/// <summary>
/// The host's side of the channel. What the machine sends is checked against the protocol as a stranger's: its programs may be anybody's.
/// <see cref="RunAsync"/> must run while anything else is used; it never waits for a writer or a consumer.
/// </summary>
public sealed class HostChannel : IAsyncDisposable
{
    private readonly Stream _stream;
    private readonly IMachineListener _listener;
    private readonly FrameWriter _writer;
    private readonly Lock _lock = new();
    private readonly Dictionary<uint, HostExec> _open = [];
    private readonly TaskCompletionSource<GuestReady> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<MachineStopped> _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _starting = new(1);
    private Exception? _ended;
    private uint _last;

    /// <summary>Speaks over <paramref name="stream"/>, which must allow one reader and one writer at the same time.</summary>
    public HostChannel(Stream stream, IMachineListener listener)
    {
        (_stream, _listener) = (stream, listener);
        _writer = new FrameWriter(stream);
    }

    /// <summary>The machine can be talked to; faulted if the channel ends before.</summary>
    public Task<GuestReady> Ready => _ready.Task;

    /// <summary>The machine says that it ends; faulted if the channel ends without.</summary>
    public Task<MachineStopped> Stopped => _stopped.Task;

    /// <summary>Reads what the machine sends until the channel closes.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.ChannelInvalid"/>: the machine does not follow the protocol. Nothing more is read.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        Exception end = new ImageException(ImageError.MachineEnded, "The machine closed the channel.");
        try
        {
            while (await Frame.ReadAsync(_stream, cancellation) is { } frame)
                Take(frame);
        }
        catch (Exception lost) when (lost is IOException or ObjectDisposedException)
        {
            end = new ImageException(ImageError.MachineEnded, "The channel to the machine is gone.", lost);
        }
        catch (ImageException violation)
        {
            end = violation;
            throw;
        }
        finally
        {
            End(end);
        }
    }

    /// <summary>Says what the machine should be; the first that is sent, once.</summary>
    public Task SendSettingsAsync(MachineSettings settings, CancellationToken cancellation) => _writer.WriteAsync(FrameKind.Settings, 0, settings, ChannelJson.Default.MachineSettings, cancellation);

    /// <summary>Asks the machine to end.</summary>
    public Task SendStopAsync(MachineStop stop, CancellationToken cancellation) => _writer.WriteAsync(FrameKind.Stop, 0, stop, ChannelJson.Default.MachineStop, cancellation);

    /// <summary>Asks for a program; whether the machine starts it is told by its <see cref="HostExec.Exit"/>.</summary>
    /// <exception cref="ImageException">The machine is gone, or as many programs as it takes are open.</exception>
    public async Task<HostExec> StartAsync(ExecRequest request, CancellationToken cancellation)
    {
        await _starting.WaitAsync(cancellation); // numbers travel in rising order
        try
        {
            HostExec exec;
            lock (_lock)
            {
                if (_ended is not null)
                    throw new ImageException(ImageError.MachineEnded, _ended.Message, _ended);
                if (_open.Count == GuestChannel.MaximumExecs)
                    throw new ImageException(ImageError.ExecRefused, $"{GuestChannel.MaximumExecs} programs run in the machine by request; no more are taken at once.");
                exec = new HostExec(this, ++_last);
                _open.Add(exec.Number, exec);
            }
            await _writer.WriteAsync(FrameKind.Exec, exec.Number, request, ChannelJson.Default.ExecRequest, CancellationToken.None);
            return exec;
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>Closes the channel.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        End(new ImageException(ImageError.MachineEnded, "The channel was closed."));
    }

    /// <summary>Whatever the bytes are: they follow the protocol, or <see cref="ImageException"/> says how not.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        var channel = new HostChannel(new MemoryStream(bytes.ToArray()), new Deaf());
        channel._open.Add(1, new HostExec(channel, channel._last = 1));
        try
        {
            channel.RunAsync(CancellationToken.None).GetAwaiter().GetResult();
        }
        catch (ImageException refused) when (refused.Error == ImageError.ChannelInvalid)
        {
            return; // the documented refusal
        }
    }

    internal Task GiveAsync(uint number, uint amount, CancellationToken cancellation)
    {
        byte[] payload = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(payload, amount);
        return WriteAsync(FrameKind.Window, number, payload, cancellation);
    }

    internal Task WriteAsync(FrameKind kind, uint number, ReadOnlyMemory<byte> payload, CancellationToken cancellation) => _writer.WriteAsync(kind, number, payload, cancellation);

    private static (ProgramStream From, ReadOnlyMemory<byte> Bytes) Named(Frame frame)
    {
        if (frame.Payload.Length < 2 || (ProgramStream)frame.Payload.Span[0] is not (ProgramStream.Output or ProgramStream.Error))
            throw Frame.Invalid($"{frame.Kind} without the name of an output or without bytes");
        return ((ProgramStream)frame.Payload.Span[0], frame.Payload[1..]);
    }

    private void Take(Frame frame)
    {
        if (_stopped.Task.IsCompleted)
            throw Frame.Invalid($"the machine sends {frame.Kind} after it said that it ends");
        if (frame.Kind is not (FrameKind.Ready or FrameKind.Event or FrameKind.Log or FrameKind.Stopped) && !_ready.Task.IsCompleted)
            throw Frame.Invalid($"the machine sends {frame.Kind} before it is ready");
        switch (frame.Kind)
        {
            case FrameKind.Ready:
                if (!_ready.TrySetResult(ChannelMessage.Ready(frame.Payload)))
                    throw Frame.Invalid("the machine is ready twice");
                break;
            case FrameKind.Event:
                _listener.Happened(ChannelMessage.Event(frame.Payload));
                break;
            case FrameKind.Log:
                (ProgramStream from, ReadOnlyMemory<byte> bytes) = Named(frame);
                _listener.Wrote(from, bytes);
                break;
            case FrameKind.Output:
                Named(frame);
                Find(frame.Stream).Take(frame);
                break;
            case FrameKind.Window:
                Find(frame.Stream).Take(frame);
                break;
            case FrameKind.Exit:
                ExecExit exit = ChannelMessage.Exit(frame.Payload);
                HostExec ended = Find(frame.Stream);
                lock (_lock)
                    _open.Remove(frame.Stream);
                ended.End(exit);
                break;
            case FrameKind.Stopped:
                _stopped.TrySetResult(ChannelMessage.Stopped(frame.Payload));
                break;
            default:
                throw Frame.Invalid($"the machine sends {frame.Kind}");
        }
    }

    private HostExec Find(uint number)
    {
        lock (_lock)
            return _open.GetValueOrDefault(number) ?? throw Frame.Invalid($"stream {number} is not open");
    }

    private void End(Exception fault)
    {
        HostExec[] open;
        lock (_lock)
        {
            _ended ??= fault;
            open = [.. _open.Values];
            _open.Clear();
        }
        _ready.TrySetException(fault);
        _stopped.TrySetException(fault);
        _ = (_ready.Task.Exception, _stopped.Task.Exception); // whoever waits sees it; nobody must
        foreach (HostExec exec in open)
            exec.Fail(fault);
    }

    private sealed class Deaf : IMachineListener
    {
        public void Happened(GuestEvent happened)
        {
        }

        public void Wrote(ProgramStream from, ReadOnlyMemory<byte> bytes)
        {
        }
    }
}
