using System.Net;
using System.Net.Sockets;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner;
using Cloister.Partitioning.Runner.Hosting;
using Cloister.Partitioning.Runner.Wire;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Partitioning.Tests.Runner;

/// <summary>What an accelerator does for workloads that keep to the rules, beside ones that do not.</summary>
public sealed class AcceleratorHostTests
{
    private static readonly TimeSpan Patience = RunningHost.Patience;
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Who_has_an_answer_may_ask_again_at_once_and_ping_besides()
    {
        await using RunningHost host = await RunningHost.StartAsync(options: new AcceleratorOptions { Threads = 1, MaximumDepth = 1 });
        using WireConnection wire = await LoadedAsync(host.Address);
        for (ulong round = 1; round <= 400; round++)
        {
            await wire.WriteAsync(new[] { Frame(FrameKind.Ping, round, []), RunFrame(round, [1, 4], 16) }.SelectMany(frame => frame).ToArray(), None);
            Assert.Equal((FrameKind.Pong, round, 0), await NextAsync(wire));
            (FrameKind kind, ulong id, _) = await NextAsync(wire);
            Assert.Equal((FrameKind.Answer, round), (kind, id));
        }
    }

    [Fact]
    public async Task Refused_runs_do_not_fill_the_log()
    {
        var log = new FaultWatch();
        await using RunningHost host = await RunningHost.StartAsync(logger: log);
        using WireConnection wire = await LoadedAsync(host.Address);
        for (ulong round = 1; round <= 20; round++)
        {
            await wire.WriteAsync(RunFrame(round, [1, 5], 20), None);
            Assert.Equal(FrameKind.Refusal, (await NextAsync(wire)).Kind);
        }
        Assert.Equal(5, log.Lines.Count(line => line.Contains("run refused", StringComparison.Ordinal))); // the 1st, 2nd, 4th, 8th and 16th
    }

    [Fact]
    public async Task A_socket_that_another_accelerator_made_meanwhile_stays()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("acc-");
        AcceleratorAddress address = AcceleratorAddress.Parse($"unix:{folder.FullName}/a.sock");
        using var ending = new HeldEnd();
        using var end = new CancellationTokenSource();
        var listening = new TaskCompletionSource();
        Task first = AcceleratorHost.RunAsync(address, new AcceleratorOptions(), ending, end.Token, _ => listening.SetResult());
        await listening.Task.WaitAsync(Patience);
        using WireConnection wire = await LoadedAsync(address);
        await end.CancelAsync();
        await ending.ReachedAsync;
        using var patience = new CancellationTokenSource(Patience);
        while (File.Exists(address.Place)) await Task.Delay(1, patience.Token); // it listens no more, and does not end yet
        using var endSecond = new CancellationTokenSource();
        var listensAgain = new TaskCompletionSource();
        Task second = AcceleratorHost.RunAsync(address, new AcceleratorOptions(), NullLogger.Instance, endSecond.Token, _ => listensAgain.SetResult());
        await (await Task.WhenAny(listensAgain.Task, second)).WaitAsync(Patience);
        ending.Open();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.WaitAsync(Patience));
        (await LoadedAsync(address)).Dispose();
        await endSecond.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second.WaitAsync(Patience));
        Assert.Empty(folder.GetFiles());
        folder.Delete();
    }

    [Fact]
    public async Task After_a_frame_that_was_broken_off_nothing_is_sent()
    {
        (Socket own, Socket other) = await PairAsync();
        using (other)
        using (var wire = new WireConnection(own, fromWorkload: false))
        {
            using var giveUp = new CancellationTokenSource();
            Task writing = wire.WriteAsync(new byte[64 << 20], giveUp.Token).AsTask();
            await other.ReceiveAsync(new byte[1]); // it began
            await giveUp.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing);
            Assert.True(wire.BrokenOff);
            Assert.Equal(AcceleratorFault.Disconnected, (await Assert.ThrowsAsync<WireException>(() => wire.WriteFrameAsync(FrameKind.Ping, 1, default, None).AsTask())).Fault);
        }
    }

    [Fact]
    public async Task The_system_looks_after_connections_to_machines_that_are_gone()
    {
        (Socket own, Socket other) = await PairAsync();
        using (own)
        using (other)
        {
            AcceleratorSocket.Tune(own);
            Assert.Equal((60, 10, 6), (Option(SocketOptionName.TcpKeepAliveTime), Option(SocketOptionName.TcpKeepAliveInterval), Option(SocketOptionName.TcpKeepAliveRetryCount)));
            Assert.NotEqual(0, own.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive));
        }

        object? Option(SocketOptionName name) => own.GetSocketOption(SocketOptionLevel.Tcp, name);
    }

    [Fact]
    public void Memory_of_a_large_answer_is_given_back()
    {
        const int Rows = 1 << 19;
        byte[] run = RunFrame(1, [Rows, 4], 0);
        using OrtSession session = OrtSession.FromMemory(TinyModels.Twice());
        using var shelf = new BufferShelf();
        using HostedRun hosted = HostedRun.Describe(new FrameHeader(FrameKind.Run, 1, run.Length - FrameHeader.Size + (16 * Rows)), run[FrameHeader.Size..], null, 1 << 30);
        hosted.Allocate(shelf);
        using var answer = new HostedAnswer(new AcceleratorOptions());
        answer.Compute(session, hosted, null, None);
        Assert.Null(answer.Refusal);
        Assert.InRange(answer.Held, 16 * Rows, 17 * Rows);
        answer.Trim();
        Assert.InRange(answer.Held, 0, 1 << 16);
    }

    [Fact]
    public void A_run_that_ends_because_the_accelerator_does_is_no_refusal()
    {
        byte[] run = RunFrame(1, [1, 4], 0);
        using OrtSession session = OrtSession.FromMemory(TinyModels.Endless());
        using var shelf = new BufferShelf();
        using HostedRun hosted = HostedRun.Describe(new FrameHeader(FrameKind.Run, 1, run.Length - FrameHeader.Size + 16), run[FrameHeader.Size..], null, 1 << 20);
        hosted.Allocate(shelf);
        using var answer = new HostedAnswer(new AcceleratorOptions());
        Assert.ThrowsAny<OperationCanceledException>(() => answer.Compute(session, hosted, null, new CancellationToken(canceled: true)));
        Assert.Null(answer.Refusal);
    }

    private static async Task<WireConnection> LoadedAsync(AcceleratorAddress address)
    {
        byte[] model = TinyModels.Twice();
        var wire = new WireConnection(await AcceleratorSocket.ConnectAsync(address, None), fromWorkload: false);
        await wire.WriteFrameAsync(FrameKind.Hello, 0, Greeting.Hello(), None);
        Assert.Equal(FrameKind.Welcome, (await NextAsync(wire)).Kind);
        await wire.WriteFrameAsync(FrameKind.Offer, 0, new ModelOffer(System.Security.Cryptography.SHA256.HashData(model), model.Length).Write(), None);
        Assert.Equal(FrameKind.Send, (await NextAsync(wire)).Kind);
        await wire.WriteFrameAsync(FrameKind.Chunk, 0, model, None);
        Assert.Equal(FrameKind.Ready, (await NextAsync(wire)).Kind);
        return wire;
    }

    private static async Task<(FrameKind Kind, ulong Id, int Length)> NextAsync(WireConnection wire)
    {
        FrameHeader header = await wire.NextHeaderAsync(None).AsTask().WaitAsync(Patience);
        await wire.ReadPayloadAsync(header, None).AsTask().WaitAsync(Patience);
        return (header.Kind, header.Id, header.Length);
    }

    private static byte[] RunFrame(ulong id, long[] shape, int bytes)
    {
        TensorHead[] heads = [new(TensorElementType.Float, shape)];
        byte[] described = new byte[TensorHeads.Size(heads)];
        TensorHeads.Write(heads, described);
        return Frame(FrameKind.Run, id, [255, 255, 255, 255, .. described, .. new byte[bytes]]);
    }

    private static byte[] Frame(FrameKind kind, ulong id, byte[] payload)
    {
        byte[] header = new byte[FrameHeader.Size];
        new FrameHeader(kind, id, payload.Length).Write(header);
        return [.. header, .. payload];
    }

    private static async Task<(Socket Own, Socket Other)> PairAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var own = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await own.ConnectAsync(listener.LocalEndPoint!);
        return (own, await listener.AcceptAsync());
    }

    /// <summary>A logger that holds an accelerator where a connection ended.</summary>
    private sealed class HeldEnd : ILogger, IDisposable
    {
        private const int PeerEnded = 8002;

        private readonly ManualResetEventSlim _open = new();
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task ReachedAsync => _reached.Task.WaitAsync(Patience);

        public void Open() => _open.Set();

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id != PeerEnded) return;
            _reached.TrySetResult();
            _open.Wait(Patience);
        }

        public void Dispose() => _open.Dispose();
    }
}
