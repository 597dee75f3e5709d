using System.Net.Sockets;
using System.Security.Cryptography;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner;
using Cloister.Partitioning.Runner.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Partitioning.Tests.Runner;

/// <summary>An accelerator that strangers talk to: it refuses, closes, and serves the next one as before.</summary>
public sealed class HostileWorkloadTests
{
    private static readonly TimeSpan Patience = RunningHost.Patience;
    private static readonly AcceleratorPoolOptions Patient = new() { StallTimeout = Patience };
    private static readonly byte[] Model = TinyModels.Twice();

    [Theory]
    [InlineData("garbage", null)]
    [InlineData("closes at once", null)]
    [InlineData("tears a frame", null)]
    [InlineData("another version", RefusalCode.Protocol)]
    [InlineData("a run first", null)]
    [InlineData("a frame without end", null)]
    [InlineData("a model too large", RefusalCode.ModelTooLarge)]
    [InlineData("another digest", RefusalCode.OtherDigest)]
    [InlineData("no model", RefusalCode.ModelRefused)]
    [InlineData("a model of another file", RefusalCode.ModelRefused)]
    [InlineData("more than it offered", null)]
    [InlineData("a chunk too much", null)]
    [InlineData("a flood of runs", RefusalCode.Flood)]
    [InlineData("a run of other ranks", null)]
    [InlineData("a run too long", null)]
    [InlineData("a run too large", RefusalCode.RunTooLarge)]
    [InlineData("a slot of nothing", null)]
    [InlineData("memory of nobody", null)]
    [InlineData("an accelerator's frame", null)]
    public async Task A_stranger_is_refused_and_the_next_is_served(string what, object? code)
    {
        await using RunningHost host = await RunningHost.StartAsync(options: new AcceleratorOptions { Threads = 1, MaximumModelBytes = 1 << 20, MaximumRunBytes = 1 << 16, MaximumDepth = 2 });
        using (Socket socket = await AcceleratorSocket.ConnectAsync(host.Address, CancellationToken.None))
        using (var wire = new WireConnection(socket, fromWorkload: false))
            Assert.Equal(code, await MisbehaveAsync(socket, wire, what).WaitAsync(Patience));

        using BackNet back = TinyModels.Open(Model);
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [host.Address], Patient, NullLogger.Instance);
        using OrtTensor input = TinyModels.Tensor(1, 2, 3, 4);
        OrtTensor[] outputs = await pool.RunAsync([input], Patience, CancellationToken.None);
        Assert.Equal([2f, 4, 6, 8], outputs[0].Span<float>().ToArray());
    }

    [Fact]
    public async Task A_run_that_does_not_fit_the_model_is_refused_and_the_next_runs()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        using Socket socket = await AcceleratorSocket.ConnectAsync(host.Address, CancellationToken.None);
        using var wire = new WireConnection(socket, fromWorkload: false);
        await LoadAsync(wire, Model);
        await wire.WriteFrameAsync(FrameKind.Run, 1, Run([1, 5], 20), CancellationToken.None);
        FrameHeader refused = await wire.NextHeaderAsync(CancellationToken.None);
        Assert.Equal((FrameKind.Refusal, 1ul), (refused.Kind, refused.Id));
        Assert.Equal(RefusalCode.RunRefused, RefusalNote.Read(await wire.ReadPayloadAsync(refused, CancellationToken.None)).Code);
        await wire.WriteFrameAsync(FrameKind.Run, 2, Run([1, 4], 16), CancellationToken.None);
        Assert.Equal(FrameKind.Answer, (await wire.NextHeaderAsync(CancellationToken.None)).Kind);
    }

    [Fact]
    public async Task A_model_in_use_keeps_its_place_and_an_idle_one_makes_room()
    {
        await using RunningHost host = await RunningHost.StartAsync(options: new AcceleratorOptions { MaximumModels = 1 });
        using BackNet twice = TinyModels.Open(Model), root = TinyModels.Open(TinyModels.Root());
        await using (AcceleratorPool first = AcceleratorPool.Start(twice, [host.Address], Patient, NullLogger.Instance))
        {
            await first.ReadyAsync(CancellationToken.None).WaitAsync(Patience);
            var watch = new FaultWatch();
            await using AcceleratorPool second = AcceleratorPool.Start(root, [host.Address], Patient, watch);
            Assert.Contains(nameof(RefusalCode.NoRoom), await watch.FirstAsync(FaultWatch.Failed), StringComparison.Ordinal);
        }
        await using AcceleratorPool third = AcceleratorPool.Start(root, [host.Address], Patient with { FirstBackoff = TimeSpan.FromMilliseconds(1) }, NullLogger.Instance);
        await third.ReadyAsync(CancellationToken.None).WaitAsync(Patience);
    }

    [Fact]
    public async Task One_connection_too_many_is_closed()
    {
        await using RunningHost host = await RunningHost.StartAsync(options: new AcceleratorOptions { MaximumConnections = 1 });
        using Socket first = await AcceleratorSocket.ConnectAsync(host.Address, CancellationToken.None);
        using var wire = new WireConnection(first, fromWorkload: false);
        await LoadAsync(wire, Model);
        using Socket second = await AcceleratorSocket.ConnectAsync(host.Address, CancellationToken.None);
        using var refused = new WireConnection(second, fromWorkload: false);
        Assert.Null(await refused.ReadHeaderAsync(CancellationToken.None).AsTask().WaitAsync(Patience));
    }

    [Fact]
    public async Task A_run_that_takes_too_long_is_stopped()
    {
        await using RunningHost host = await RunningHost.StartAsync(options: new AcceleratorOptions { Threads = 1, MaximumRunTime = TimeSpan.FromMilliseconds(1) });
        using Socket socket = await AcceleratorSocket.ConnectAsync(host.Address, CancellationToken.None);
        using var wire = new WireConnection(socket, fromWorkload: false);
        await LoadAsync(wire, TinyModels.Endless());
        await wire.WriteFrameAsync(FrameKind.Run, 1, Run([1, 4], 16), CancellationToken.None);
        FrameHeader refused = await wire.NextHeaderAsync(CancellationToken.None).AsTask().WaitAsync(Patience);
        Assert.Equal(RefusalCode.RunTooLong, RefusalNote.Read(await wire.ReadPayloadAsync(refused, CancellationToken.None)).Code);
    }

    [Fact]
    public async Task A_socket_that_somebody_listens_on_is_not_taken_and_a_file_is_left_alone()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        await RefusedAsync(host.Address);
        string file = Path.GetTempFileName();
        await RefusedAsync(AcceleratorAddress.Parse("unix:" + file));
        Assert.True(File.Exists(file));
        File.Delete(file);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(host.Address.Place));

        static async Task RefusedAsync(AcceleratorAddress address) => Assert.Equal(PartitioningError.AddressUnusable,
            (await Assert.ThrowsAsync<PartitioningException>(() => AcceleratorHost.RunAsync(address, new AcceleratorOptions(), NullLogger.Instance, CancellationToken.None).WaitAsync(Patience))).Error);
    }

    // What the host's last word was: a refusal's code, or null where it just closed.
    private static async Task<object?> MisbehaveAsync(Socket socket, WireConnection wire, string what)
    {
        CancellationToken none = CancellationToken.None;
        Task Send(FrameKind kind, byte[] payload) => wire.WriteFrameAsync(kind, 1, payload, none).AsTask();
        switch (what)
        {
            case "garbage": await wire.WriteAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n"u8.ToArray(), none); break;
            case "closes at once": socket.Shutdown(SocketShutdown.Send); break;
            case "tears a frame":
                await wire.WriteAsync(new byte[] { 12, 0, 0 }, none);
                socket.Shutdown(SocketShutdown.Send);
                break;
            case "another version":
                byte[] hello = Greeting.Hello();
                hello[8] = 9;
                await Send(FrameKind.Hello, hello);
                break;
            case "a run first": await Send(FrameKind.Run, Run([1, 4], 16)); break;
            case "a frame without end": await wire.WriteAsync(new byte[] { 255, 255, 255, 127, (byte)FrameKind.Run, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, none); break;
            case "a model too large": await OfferAsync(wire, new byte[32], (1 << 20) + 1); break;
            case "another digest":
                await OfferAsync(wire, new byte[32], Model.Length);
                await Send(FrameKind.Chunk, Model);
                break;
            case "no model" or "a model of another file":
                byte[] bytes = what == "no model" ? [1, 2, 3] : WithExternalWeights();
                await OfferAsync(wire, SHA256.HashData(bytes), bytes.Length);
                await Send(FrameKind.Chunk, bytes);
                break;
            case "more than it offered":
                await OfferAsync(wire, SHA256.HashData(Model), Model.Length - 1);
                await Send(FrameKind.Chunk, Model);
                break;
            default:
                await LoadAsync(wire, what == "a flood of runs" ? TinyModels.Endless() : Model);
                await MisbehaveInRunsAsync(wire, what);
                break;
        }
        try
        {
            while (await wire.ReadHeaderAsync(none) is { } header)
            {
                byte[] payload = await wire.ReadPayloadAsync(header, none);
                if (header.Kind == FrameKind.Refusal) return RefusalNote.Read(payload).Code;
            }
        }
        catch (WireException closed) when (closed.Fault == AcceleratorFault.Disconnected)
        {
            // It closed with our bytes unread.
        }
        return null;
    }

    private static async Task MisbehaveInRunsAsync(WireConnection wire, string what)
    {
        Task Send(FrameKind kind, byte[] payload) => wire.WriteFrameAsync(kind, 1, payload, CancellationToken.None).AsTask();
        switch (what)
        {
            case "a chunk too much": await Send(FrameKind.Chunk, [1]); break;
            case "a flood of runs":
                byte[] run = Run([1, 4], 16), header = new byte[FrameHeader.Size];
                new FrameHeader(FrameKind.Run, 1, run.Length).Write(header);
                await wire.WriteAsync(Enumerable.Repeat((byte[])[.. header, .. run], 4).SelectMany(frame => frame).ToArray(), CancellationToken.None); // at once: it hangs up after the third
                break;
            case "a run of other ranks": await Send(FrameKind.Run, Run([1, 4, 1], 16)); break;
            case "a run too long": await Send(FrameKind.Run, Run([1, 4], 17)); break;
            case "a run too large": await Send(FrameKind.Run, Run([(1 << 16) + 1, 4], 16)); break;
            case "a slot of nothing": await Send(FrameKind.Run, [7, 0, 0, 0, .. Run([1, 4], 0)[4..]]); break;
            case "memory of nobody": await Send(FrameKind.Memory, new MemoryOffer(1, 4096, 4096, new string('0', 32)).Write()); break;
            case "an accelerator's frame": await Send(FrameKind.Mapped, []); break;
            default: throw new ArgumentOutOfRangeException(nameof(what), what, null);
        }
    }

    private static async Task OfferAsync(WireConnection wire, byte[] digest, long length)
    {
        await wire.WriteFrameAsync(FrameKind.Hello, 0, Greeting.Hello(), CancellationToken.None);
        FrameHeader welcome = await wire.NextHeaderAsync(CancellationToken.None);
        Greeting.ReadWelcome(await wire.ReadPayloadAsync(welcome, CancellationToken.None));
        await wire.WriteFrameAsync(FrameKind.Offer, 0, new ModelOffer(digest, length).Write(), CancellationToken.None);
    }

    private static async Task LoadAsync(WireConnection wire, byte[] model)
    {
        await OfferAsync(wire, SHA256.HashData(model), model.Length);
        Assert.Equal(FrameKind.Send, (await wire.NextHeaderAsync(CancellationToken.None)).Kind);
        await wire.WriteFrameAsync(FrameKind.Chunk, 0, model, CancellationToken.None);
        FrameHeader ready = await wire.NextHeaderAsync(CancellationToken.None);
        Assert.Equal(FrameKind.Ready, ready.Kind);
        ModelFace.Read(await wire.ReadPayloadAsync(ready, CancellationToken.None));
    }

    private static byte[] Run(long[] shape, int bytes)
    {
        TensorHead[] heads = [new(TensorElementType.Float, shape)];
        byte[] described = new byte[TensorHeads.Size(heads)];
        TensorHeads.Write(heads, described);
        return [255, 255, 255, 255, .. described, .. new byte[bytes]];
    }

    private static byte[] WithExternalWeights() => TinyModels.Proto(
        [Onnx.Model.ValueInfoProto.Tensor("x", Onnx.Model.TensorDataType.Float, 4)], [Onnx.Model.ValueInfoProto.Tensor("y", Onnx.Model.TensorDataType.Float, 4)],
        [new Onnx.Model.TensorProto { Name = "w", DataType = Onnx.Model.TensorDataType.Float, Dims = [4], DataLocation = 1, ExternalData = [new Onnx.Model.StringStringEntryProto { Key = "location", Value = "passwd" }] }],
        new Onnx.Model.NodeProto { OpType = "Add", Inputs = ["x", "w"], Outputs = ["y"] }).ToBytes();
}
