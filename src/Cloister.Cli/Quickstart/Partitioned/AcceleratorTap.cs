using System.Net.Sockets;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Quickstart.Partitioned;

/// <summary>
/// The machine that an accelerator runs on, as its owner may run it: everything between workload and accelerator goes through here, is kept,
/// and is changed if that is asked for. The workload connects to <see cref="Path"/>.
/// </summary>
internal sealed class AcceleratorTap : IAsyncDisposable
{
    private readonly string _accelerator;
    private readonly Socket _listener;
    private readonly CancellationTokenSource _end = new();
    private readonly MemoryStream _seen = new();
    private readonly Task _accepting;

    private AcceleratorTap(string path, string accelerator, Socket listener)
    {
        (Path, _accelerator, _listener) = (path, accelerator, listener);
        _accepting = AcceptAsync();
    }

    /// <summary>The Unix socket that takes the accelerator's place.</summary>
    public string Path { get; }

    /// <summary>What is done to answers from now on.</summary>
    public AnswerChange Change { get; set; }

    /// <summary>How many answers were changed.</summary>
    public int Changed { get; private set; }

    /// <summary>All that has come from the workload and from the accelerator so far.</summary>
    public byte[] Seen
    {
        get
        {
            lock (_seen) return _seen.ToArray();
        }
    }

    /// <summary>Listens at <paramref name="path"/> for whoever wants to reach the accelerator at <paramref name="accelerator"/>.</summary>
    public static AcceleratorTap Start(string path, string accelerator)
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        return new AcceleratorTap(path, accelerator, listener);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _end.Dispose();
        _seen.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
                connections.Add(RelayAsync(await _listener.AcceptAsync(_end.Token)));
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }

    // Either side's end is the other's: an accelerator that is gone looks through here as it would without.
    private async Task RelayAsync(Socket workload)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        using (workload)
        using (var accelerator = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            try
            {
                await accelerator.ConnectAsync(new UnixDomainSocketEndPoint(_accelerator), either.Token);
                await using NetworkStream inside = new(workload), outside = new(accelerator);
                Task there = ForwardAsync(inside, outside, answers: false, either.Token), back = ForwardAsync(outside, inside, answers: true, either.Token);
                await Task.WhenAny(there, back);
                await either.CancelAsync();
                await Task.WhenAll(there, back);
            }
            catch (Exception ended) when (ended is OperationCanceledException or SocketException or IOException)
            {
                // Who dialled sees it by the end of the connection.
            }
        }
    }

    private async Task ForwardAsync(NetworkStream from, NetworkStream to, bool answers, CancellationToken cancellation)
    {
        var frames = new AcceleratorFrames();
        byte[] header = new byte[AcceleratorFrames.HeaderBytes];
        while (await from.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, cancellation) == header.Length)
        {
            byte[] payload = new byte[AcceleratorFrames.PayloadBytes(header)];
            await from.ReadExactlyAsync(payload, cancellation);
            Keep(header, payload);
            if (answers && AcceleratorFrames.IsAnswer(header))
            {
                if (Change != AnswerChange.None) Changed++;
                payload = frames.Change(payload, Change);
            }
            await to.WriteAsync(header, cancellation);
            await to.WriteAsync(payload, cancellation);
        }
    }

    private void Keep(byte[] header, byte[] payload)
    {
        lock (_seen)
        {
            _seen.Write(header);
            _seen.Write(payload);
            if (_seen.Length > Array.MaxLength / 4) throw new CommandException(ExitCode.Failure, "The accelerator was sent more than this story keeps.");
        }
    }
}
