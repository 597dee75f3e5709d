using System.Runtime.CompilerServices;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Google.Protobuf;
using Microsoft.AspNetCore.Routing;

namespace Cloister.Protocol.Tests.Grpc;

/// <summary>Streaming methods against calls made by hand, over real sockets.</summary>
public sealed class GrpcStreamTests
{
    private const int Many = 2000;

    private readonly TaskCompletionSource<int> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static readonly GrpcServerOptions s_small = new() { MaxRequestBytes = 100_000 };

    private void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGrpcServerStreaming<ChallengeReq, ChallengeResp>("/test.Stream/Repeat", ChallengeReq.Parser, Repeat, s_small);
        endpoints.MapGrpcClientStreaming<ChallengeReq, ChallengeResp>("/test.Stream/Join", ChallengeReq.Parser, JoinAsync, s_small);
        endpoints.MapGrpcBidirectional<ChallengeReq, ChallengeResp>("/test.Stream/Echo", ChallengeReq.Parser, Echo, s_small);
        var guarded = new GrpcServerOptions { SmallMessageBytes = 10, AdmitLarge = _ => throw new GrpcException(GrpcStatus.PermissionDenied, "too much from you") };
        endpoints.MapGrpcUnary("/test.Stream/GuardedUnary", (_, _, _, _) => ValueTask.CompletedTask, guarded);
        endpoints.MapGrpcBidirectional("/test.Stream/Guarded", async (_, requests, _, cancellation) => Assert.True(await requests.MoveNextAsync(cancellation)), guarded);
        endpoints.MapGrpcBidirectional("/test.Stream/Refuse", (_, _, _, _) => throw new GrpcException(GrpcStatus.FailedPrecondition, "not now"));
        endpoints.MapGrpcBidirectional("/test.Stream/Flood", async (_, _, responses, cancellation) =>
        {
            int sent = 0;
            try
            {
                for (; sent < Many; sent++)
                    await responses.WriteAsync(64 << 10, static (size, output) => output.Advance(output.GetSpan(size)[..size].Length), cancellation);
            }
            finally
            {
                _ended.TrySetResult(sent);
            }
        });
        endpoints.MapGrpcBidirectional("/test.Stream/Deaf", async (_, requests, _, cancellation) =>
        {
            await requests.MoveNextAsync(cancellation);
            await _release.Task.WaitAsync(cancellation);
        }, s_small);
        endpoints.MapGrpcBidirectional("/test.Stream/Wait", async (_, requests, responses, cancellation) =>
        {
            try
            {
                await requests.MoveNextAsync(cancellation);
                await responses.WriteAsync(new ChallengeResp(), cancellation);
                await Task.Delay(Timeout.Infinite, cancellation);
            }
            catch (OperationCanceledException)
            {
                _ended.TrySetResult(0);
                throw;
            }
        });
    }

    private static async IAsyncEnumerable<ChallengeResp> Repeat(GrpcCallContext context, ChallengeReq request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        for (int i = 0; i < 3; i++)
        {
            await Task.Yield();
            cancellation.ThrowIfCancellationRequested();
            yield return new ChallengeResp { Challenge = ByteString.CopyFromUtf8($"{request.Nonce.ToStringUtf8()}{i}") };
        }
        context.ResponseTrailers["repeated"] = "3";
    }

    private static async Task<ChallengeResp> JoinAsync(GrpcCallContext context, IAsyncEnumerable<ChallengeReq> requests, CancellationToken cancellation)
    {
        string joined = "";
        await foreach (ChallengeReq request in requests.WithCancellation(cancellation))
        {
            joined += request.Nonce.ToStringUtf8();
            if (joined.EndsWith('.')) break;
        }
        return new ChallengeResp { Challenge = ByteString.CopyFromUtf8(joined) };
    }

    private static async IAsyncEnumerable<ChallengeResp> Echo(GrpcCallContext context, IAsyncEnumerable<ChallengeReq> requests, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (ChallengeReq request in requests.WithCancellation(cancellation)) yield return new ChallengeResp { Challenge = request.Nonce };
    }

    private static ChallengeReq Request(string nonce) => new() { Nonce = ByteString.CopyFromUtf8(nonce) };

    private static async Task<string?> TextAsync(StreamCall call) =>
        await call.ReceiveAsync() is { } message ? ChallengeResp.Parser.ParseFrom(message).Challenge.ToStringUtf8() : null;

    [Fact]
    public async Task AServerStreams()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(Map);
        await using var call = new StreamCall(server.Client(), server.Address, "/test.Stream/Repeat");
        call.Send(Request("a"));
        call.Complete();
        Assert.Equal(("a0", "a1", "a2"), (await TextAsync(call), await TextAsync(call), await TextAsync(call)));
        Assert.Equal("0", await call.StatusAsync());
    }

    [Fact]
    public async Task ItsRequestIsExactlyOneMessage()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(Map);
        RawCall raw = new(server) { Path = "/test.Stream/Repeat" };
        Assert.Equal("12", (await raw.SendAsync()).Status);
        Assert.Equal("12", (await raw.SendAsync(RawCall.Frame([]), RawCall.Frame([]))).Status);
        Assert.Equal("13", (await raw.SendAsync(RawCall.Frame([0xFF]))).Status);
        Assert.Equal("13", (await raw.SendAsync([0, 0, 0])).Status);
    }

    [Fact]
    public async Task AClientStreams()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(Map);
        await using var call = new StreamCall(server.Client(), server.Address, "/test.Stream/Join");
        foreach (string part in new[] { "a", "", "b" }) call.Send(Request(part));
        call.Complete();
        Assert.Equal("ab", await TextAsync(call));
        Assert.Equal("0", await call.StatusAsync());
    }

    [Fact]
    public async Task AnAnswerMayComeBeforeTheClientIsDone()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(Map);
        await using var call = new StreamCall(server.Client(), server.Address, "/test.Stream/Join");
        call.Send(Request("enough."));
        Assert.Equal("enough.", await TextAsync(call));
        Assert.Equal("0", await call.StatusAsync());
    }

    [Fact]
    public async Task BothStreamInTurns()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(Map);
        await using var call = new StreamCall(server.Client(), server.Address, "/test.Stream/Echo");
        for (int i = 0; i < 20; i++)
        {
            call.Send(Request($"{i}"));
            Assert.Equal($"{i}", await TextAsync(call));
        }
        call.Complete();
        Assert.Equal("0", await call.StatusAsync());
    }

    [Fact]
    public async Task MessagesMayBeCutAndJoinedAnywhere()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(Map);
        await using var call = new StreamCall(server.Client(), server.Address, "/test.Stream/Echo");
        byte[] bytes = [.. RawCall.Frame(Request("one").ToByteArray()), .. RawCall.Frame([]), .. RawCall.Frame(Request("three").ToByteArray())];
        for (int seed = 0; seed < 10; seed++)
        {
            var random = new Random(seed);
            for (int at = 0; at < bytes.Length;)
            {
                int length = Math.Min(bytes.Length - at, random.Next(1, 9));
                call.Send(bytes.AsSpan(at, length).ToArray());
                at += length;
            }
        }
        call.Complete();
        for (int i = 0; i < 10; i++) Assert.Equal(("one", "", "three"), (await TextAsync(call), await TextAsync(call), await TextAsync(call)));
        Assert.Equal("0", await call.StatusAsync());
    }

    public static TheoryData<string, byte[], string> Broken => new()
    {
        { "cut in the prefix", [0, 0], "13" },
        { "cut in the message", [0, 0, 0, 0, 9, 1], "13" },
        { "no such flag", [3, 0, 0, 0, 0], "13" },
        { "flagged without an encoding", [1, 0, 0, 0, 1, 0], "13" },
        { "not the message", [0, 0, 0, 0, 1, 0xFF], "13" },
        { "over the limit", [0, 0, 1, 0x86, 0xA1], "8" },
        { "far over the limit", [0, 0xFF, 0xFF, 0xFF, 0xFF], "8" },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public async Task ABrokenMessageEndsTheCallAfterTheGoodOnes(string name, byte[] broken, string status)
    {
        _ = name;
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(Map);
        await using var call = new StreamCall(server.Client(), server.Address, "/test.Stream/Echo");
        call.Send(Request("good"));
        Assert.Equal("good", await TextAsync(call));
        call.Send(broken);
        call.Complete();
        Assert.Equal(status, await call.StatusAsync());
    }

    [Theory]
    [InlineData("/test.Stream/Guarded")]
    [InlineData("/test.Stream/GuardedUnary")]
    public async Task ALargeMessageIsRefusedBeforeItIsHere(string path)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(Map);
        Assert.Equal("0", (await new RawCall(server) { Path = path }.SendAsync(RawCall.Frame(new byte[10]))).Status);
        await using var call = new StreamCall(server.Client(), server.Address, path);
        call.Send([0, 0, 0, 0, 11]);
        Assert.Equal("7", await call.StatusAsync());
    }

    [Fact]
    public async Task AnEmptyStreamIsNoMessages()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(Map);
        Assert.Equal("0", (await new RawCall(server) { Path = "/test.Stream/Echo" }.SendAsync()).Status);
    }

    [Fact]
    public async Task ARefusalIsItsStatus()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(Map);
        RawAnswer answer = await new RawCall(server) { Path = "/test.Stream/Refuse" }.SendAsync(RawCall.Frame([]));
        Assert.Equal(("9", "not now"), (answer.Status, answer.Message));
    }

    [Fact]
    public async Task ADeadlineEndsAStream()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(Map);
        await using var call = new StreamCall(server.Client(), server.Address, "/test.Stream/Wait", timeout: "300m");
        call.Send(Request(""));
        Assert.Equal("4", await call.StatusAsync());
        Assert.Equal(0, await _ended.Task.WaitAsync(TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public async Task ACallerWhoLeavesEndsTheHandler()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(Map);
        await using var call = new StreamCall(server.Client(), server.Address, "/test.Stream/Wait");
        call.Send(Request(""));
        Assert.NotNull(await call.ReceiveAsync());
        await call.CancelAsync();
        Assert.Equal(0, await _ended.Task.WaitAsync(TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public async Task AServerDoesNotRunAheadOfACallerWhoDoesNotRead()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(Map);
        await using var call = new StreamCall(server.Client(), server.Address, "/test.Stream/Flood");
        Assert.NotNull(await call.ReceiveAsync());
        await call.CancelAsync();
        Assert.InRange(await _ended.Task.WaitAsync(TimeSpan.FromMinutes(1)), 1, Many - 1);
    }

    [Fact]
    public async Task ACallerDoesNotRunAheadOfAServerThatDoesNotRead()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(Map);
        await using var call = new StreamCall(server.Client(), server.Address, "/test.Stream/Deaf");
        byte[] message = RawCall.Frame(new byte[64 << 10]);
        for (int i = 0; i < Many; i++) call.Send(message);
        _release.SetResult();
        await call.StatusAsync();
        Assert.InRange(call.PiecesTaken, 0, Many - 1);
    }
}
