using System.Threading.Channels;
using Cloister.Images.Boot;

namespace Cloister.Images.Channel;

/// <summary>
/// The machine's side of the channel to its host, for the agent. Whatever the host sends is checked against the protocol, and nothing it sends
/// decides what is allowed: the agent does. <see cref="RunAsync"/> must run while anything else is used; it never waits for a writer, so
/// neither side can block the other for good. Frames of all programs share one stream and each program has a window of its own.
/// </summary>
public sealed class GuestChannel : IAsyncDisposable
{
    /// <summary>How many programs may be open at once.</summary>
    public const int MaximumExecs = 32;

    private readonly Stream _stream;
    private readonly FrameWriter _writer;
    private readonly Lock _lock = new();
    private readonly Dictionary<uint, GuestExec> _open = [];
    private readonly Channel<GuestExec> _execs = System.Threading.Channels.Channel.CreateUnbounded<GuestExec>();
    private readonly TaskCompletionSource<MachineSettings> _settings = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<MachineStop> _stop = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private uint _last;

    /// <summary>Speaks over <paramref name="stream"/>, which must allow one reader and one writer at the same time.</summary>
    public GuestChannel(Stream stream)
    {
        _stream = stream;
        _writer = new FrameWriter(stream);
    }

    /// <summary>What the host said the machine should be; faulted if the channel ends before.</summary>
    public Task<MachineSettings> Settings => _settings.Task;

    /// <summary>The host's wish that the machine ends; faulted if the channel ends before.</summary>
    public Task<MachineStop> StopRequested => _stop.Task;

    /// <summary>Programs that the host wants started, each once; completed when the channel ends.</summary>
    public ChannelReader<GuestExec> Execs => _execs.Reader;

    /// <summary>Opens the machine's port. A read without data blocks a thread of the pool; the pool must have others.</summary>
    public static GuestChannel Open(string path = GuestPaths.Channel) =>
        new(new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite, BufferSize = 0, Options = FileOptions.Asynchronous }));

    /// <summary>Reads what the host sends until it closes the channel.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.ChannelInvalid"/>: the host does not follow the protocol. Nothing more is read.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        Exception? fault = null;
        try
        {
            while (await Frame.ReadAsync(_stream, cancellation) is { } frame)
                Take(frame);
        }
        catch (Exception end) when (Keep(end, out fault))
        {
        }
        finally
        {
            End(fault ?? new ImageException(ImageError.MachineEnded, "The host closed the channel."));
        }
    }

    /// <summary>Says that the machine can be talked to.</summary>
    public Task SendReadyAsync(GuestReady ready, CancellationToken cancellation) => _writer.WriteAsync(FrameKind.Ready, 0, ready, ChannelJson.Default.GuestReady, cancellation);

    /// <summary>Tells that something happened.</summary>
    public Task SendEventAsync(GuestEvent happened, CancellationToken cancellation) => _writer.WriteAsync(FrameKind.Event, 0, happened, ChannelJson.Default.GuestEvent, cancellation);

    /// <summary>Passes on what a program wrote that the machine started by itself. Waits while the host reads slowly.</summary>
    /// <param name="from">Which of its outputs.</param>
    /// <param name="bytes">At most 64 KiB.</param>
    /// <param name="cancellation">Gives up before the frame is begun.</param>
    public Task SendLogAsync(ProgramStream from, ReadOnlyMemory<byte> bytes, CancellationToken cancellation) =>
        _writer.WriteAsync(FrameKind.Log, 0, Named(from, bytes), cancellation);

    /// <summary>Says that the machine ends now; nothing follows.</summary>
    public Task SendStoppedAsync(MachineStopped stopped, CancellationToken cancellation) => _writer.WriteAsync(FrameKind.Stopped, 0, stopped, ChannelJson.Default.MachineStopped, cancellation);

    /// <summary>Closes the port.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        End(new ImageException(ImageError.MachineEnded, "The channel was closed."));
    }

    /// <summary>Whatever the bytes are: they follow the protocol, or <see cref="ImageException"/> says how not.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        var channel = new GuestChannel(new MemoryStream(bytes.ToArray()));
        try
        {
            channel.RunAsync(CancellationToken.None).GetAwaiter().GetResult();
        }
        catch (ImageException refused) when (refused.Error == ImageError.ChannelInvalid)
        {
            return; // the documented refusal
        }
    }

    internal static byte[] Named(ProgramStream from, ReadOnlyMemory<byte> bytes) => [(byte)from, .. bytes.Span];

    internal Task WriteAsync(FrameKind kind, uint number, ReadOnlyMemory<byte> payload, Func<bool> still, CancellationToken cancellation) =>
        _writer.WriteAsync(kind, number, payload, cancellation, still);

    internal void Forget(uint number)
    {
        lock (_lock)
            _open.Remove(number);
    }

    // Violations go on to the caller; that the port is gone is the channel's ordinary end.
    private static bool Keep(Exception end, out Exception? fault)
    {
        fault = end;
        return end is IOException or ObjectDisposedException;
    }

    private void Take(Frame frame)
    {
        if (frame.Kind is not (FrameKind.Settings or FrameKind.Stop) && !_settings.Task.IsCompleted)
            throw Frame.Invalid($"the host sends {frame.Kind} before its settings");
        switch (frame.Kind)
        {
            case FrameKind.Settings:
                if (!_settings.TrySetResult(ChannelMessage.Settings(frame.Payload)))
                    throw Frame.Invalid("the host sends its settings twice");
                break;
            case FrameKind.Stop:
                _stop.TrySetResult(ChannelMessage.Stop(frame.Payload));
                break;
            case FrameKind.Exec:
                Add(frame.Stream, ChannelMessage.Exec(frame.Payload));
                break;
            case FrameKind.Input or FrameKind.Signal or FrameKind.Window:
                Find(frame.Stream)?.Take(frame);
                break;
            default:
                throw Frame.Invalid($"the host sends {frame.Kind}");
        }
    }

    private void Add(uint number, ExecRequest request)
    {
        var exec = new GuestExec(this, number, request);
        lock (_lock)
        {
            if (number <= _last)
                throw Frame.Invalid($"stream {number} was used before");
            if (_open.Count == MaximumExecs)
                throw Frame.Invalid($"more than {MaximumExecs} programs at once");
            _open.Add(_last = number, exec);
        }
        _execs.Writer.TryWrite(exec);
    }

    // A frame may cross the program's end: it is about nothing any more.
    private GuestExec? Find(uint number)
    {
        lock (_lock)
        {
            if (number == 0 || number > _last)
                throw Frame.Invalid($"stream {number} is not open");
            return _open.GetValueOrDefault(number);
        }
    }

    private void End(Exception fault)
    {
        _settings.TrySetException(fault);
        _stop.TrySetException(fault);
        _ = (_settings.Task.Exception, _stop.Task.Exception); // whoever waits sees it; nobody must
        _execs.Writer.TryComplete();
        GuestExec[] open;
        lock (_lock)
        {
            open = [.. _open.Values];
            _open.Clear();
        }
        foreach (GuestExec exec in open)
            exec.End(fault);
    }
}
