using System.Collections.Immutable;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cloister.Protocol.Tests.Grpc;

/// <summary>Our client against our server, and against servers that answer as no proper one would.</summary>
public sealed class GrpcChannelTests
{
    private static readonly ChallengeReq s_request = new() { Nonce = ByteString.CopyFromUtf8("nonce") };

    private static Task<ChallengeResp> CallAsync(GrpcTestServer server, string path, GrpcCallOptions? options = null, CancellationToken cancellation = default) =>
        new GrpcChannel(server.Client(), server.Address).UnaryAsync(path, s_request, ChallengeResp.Parser, options, cancellation);

    private static void Map(IEndpointRouteBuilder endpoints, string path, Func<GrpcCallContext, CancellationToken, Task<ChallengeResp>> answer) =>
        endpoints.MapGrpcUnary<ChallengeReq, ChallengeResp>(path, ChallengeReq.Parser, (context, _, cancellation) => answer(context, cancellation));

    [Fact]
    public async Task ACallOverMutualTlsCarriesTheClientsCertificate()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(endpoints => Map(endpoints, "/t.S/M", (context, _) =>
            Task.FromResult(new ChallengeResp { Challenge = ByteString.CopyFrom(context.ClientCertificate!.RawData) })), tls: true);
        using var certificate = GrpcTestServer.SelfSigned("marble");
        ChallengeResp answer = await new GrpcChannel(server.Client(certificate), server.Address).UnaryAsync("/t.S/M", s_request, ChallengeResp.Parser);
        Assert.Equal(certificate.RawData, answer.Challenge.ToByteArray());
    }

    [Fact]
    public async Task AServerThatTheHandlerDoesNotTrustIsUnavailable()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(endpoints => Map(endpoints, "/t.S/M", (_, _) => Task.FromResult(new ChallengeResp())), tls: true);
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => false;
        using var client = new HttpMessageInvoker(handler);
        GrpcException refused = await Assert.ThrowsAsync<GrpcException>(() => new GrpcChannel(client, server.Address).UnaryAsync("/t.S/M", s_request, ChallengeResp.Parser));
        Assert.Equal(GrpcStatus.Unavailable, refused.Status);
    }

    [Fact]
    public async Task NobodyThereIsUnavailable()
    {
        GrpcTestServer gone = await GrpcTestServer.StartAsync(_ => { });
        await gone.DisposeAsync();
        Assert.Equal(GrpcStatus.Unavailable, (await Assert.ThrowsAsync<GrpcException>(() => CallAsync(gone, "/t.S/M"))).Status);
    }

    [Fact]
    public async Task StatusDetailAndTrailersOfARefusalArrive()
    {
        const string detail = "100 % größer\nals 日本 \u007F";
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(endpoints => Map(endpoints, "/t.S/M", (_, _) =>
            throw new GrpcException(GrpcStatus.Internal, detail, ImmutableDictionary<string, string>.Empty.Add(MarbleService.AwaitingSecretTrailer, "a,b"))));
        GrpcException refused = await Assert.ThrowsAsync<GrpcException>(() => CallAsync(server, "/t.S/M"));
        Assert.Equal((GrpcStatus.Internal, detail), (refused.Status, refused.Detail));
        Assert.Equal("a,b", refused.Trailers[MarbleService.AwaitingSecretTrailer]);
    }

    [Fact]
    public async Task ALargeMessageArrivesBothWays()
    {
        byte[] large = new byte[3 << 20];
        new Random(1).NextBytes(large);
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(endpoints => endpoints.MapGrpcUnary<ChallengeReq, ChallengeResp>("/t.S/M", ChallengeReq.Parser,
            (_, request, _) => Task.FromResult(new ChallengeResp { Challenge = request.Nonce })));
        ChallengeResp answer = await new GrpcChannel(server.Client(), server.Address)
            .UnaryAsync("/t.S/M", new ChallengeReq { Nonce = ByteString.CopyFrom(large) }, ChallengeResp.Parser);
        Assert.True(answer.Challenge.Span.SequenceEqual(large));
    }

    [Fact]
    public async Task AnAnswerOverTheCallersLimitIsRefused()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(endpoints => Map(endpoints, "/t.S/M", (_, _) =>
            Task.FromResult(new ChallengeResp { Challenge = ByteString.CopyFrom(new byte[5000]) })));
        GrpcException refused = await Assert.ThrowsAsync<GrpcException>(() => CallAsync(server, "/t.S/M", new GrpcCallOptions { MaxResponseBytes = 1000 }));
        Assert.Equal(GrpcStatus.ResourceExhausted, refused.Status);
    }

    [Fact]
    public async Task TheDeadlineTravelsAndEndsTheHandler()
    {
        var clock = new ManualClock();
        var started = new TaskCompletionSource<DateTimeOffset?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(endpoints => endpoints.MapGrpcUnary<ChallengeReq, ChallengeResp>("/t.S/M", ChallengeReq.Parser,
            async (context, _, cancellation) =>
            {
                started.SetResult(context.Deadline);
                await Task.Delay(Timeout.Infinite, cancellation);
                return new ChallengeResp();
            }, new GrpcServerOptions { Clock = clock }));
        Task<ChallengeResp> call = CallAsync(server, "/t.S/M", new GrpcCallOptions { Timeout = TimeSpan.FromHours(1) });
        Assert.Equal(clock.GetUtcNow().AddHours(1), await started.Task.WaitAsync(TimeSpan.FromSeconds(30)));
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(GrpcStatus.DeadlineExceeded, (await Assert.ThrowsAsync<GrpcException>(() => call)).Status);
    }

    [Fact]
    public async Task TheClientDoesNotWaitForAServerThatForgetsTheDeadline()
    {
        var clock = new ManualClock();
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(endpoints => endpoints.MapPost("/t.S/M", async context =>
        {
            started.SetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        }));
        Task<ChallengeResp> call = new GrpcChannel(server.Client(), server.Address, clock)
            .UnaryAsync("/t.S/M", s_request, ChallengeResp.Parser, new GrpcCallOptions { Timeout = TimeSpan.FromMinutes(1) });
        await started.Task.WaitAsync(TimeSpan.FromSeconds(30));
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(GrpcStatus.DeadlineExceeded, (await Assert.ThrowsAsync<GrpcException>(() => call)).Status);
    }

    [Fact]
    public async Task ACancelledCallReachesTheHandler()
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(endpoints => Map(endpoints, "/t.S/M", async (_, cancellation) =>
        {
            using CancellationTokenRegistration registration = cancellation.Register(ended.SetResult);
            started.SetResult();
            await Task.Delay(Timeout.Infinite, cancellation);
            return new ChallengeResp();
        }));
        using var cancel = new CancellationTokenSource();
        Task<ChallengeResp> call = CallAsync(server, "/t.S/M", cancellation: cancel.Token);
        await started.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await ended.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task TheServersOwnBoundHoldsWithoutADeadlineOfTheCaller()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(endpoints => endpoints.MapGrpcUnary<ChallengeReq, ChallengeResp>("/t.S/M", ChallengeReq.Parser,
            async (_, _, cancellation) =>
            {
                await Task.Delay(Timeout.Infinite, cancellation);
                return new ChallengeResp();
            }, new GrpcServerOptions { MaxDuration = TimeSpan.FromMilliseconds(50) }));
        Assert.Equal(GrpcStatus.DeadlineExceeded, (await Assert.ThrowsAsync<GrpcException>(() => CallAsync(server, "/t.S/M"))).Status);
    }

    [Theory]
    [InlineData(400, GrpcStatus.Internal)]
    [InlineData(401, GrpcStatus.Unauthenticated)]
    [InlineData(403, GrpcStatus.PermissionDenied)]
    [InlineData(404, GrpcStatus.Unimplemented)]
    [InlineData(429, GrpcStatus.Unavailable)]
    [InlineData(503, GrpcStatus.Unavailable)]
    [InlineData(500, GrpcStatus.Unknown)]
    public async Task AnHttpErrorHasItsGrpcStatus(int code, GrpcStatus expected)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(endpoints => endpoints.MapPost("/t.S/M", context =>
        {
            context.Response.StatusCode = code;
            return Task.CompletedTask;
        }));
        Assert.Equal(expected, (await Assert.ThrowsAsync<GrpcException>(() => CallAsync(server, "/t.S/M"))).Status);
    }

    [Theory]
    [InlineData("none", GrpcStatus.Internal)] // no grpc-status at all
    [InlineData("x", GrpcStatus.Unknown)]
    [InlineData("99", GrpcStatus.Unknown)]
    [InlineData("0", GrpcStatus.Internal)] // success without a message
    [InlineData("7", GrpcStatus.PermissionDenied)]
    public async Task ATrailersOnlyAnswerIsRead(string status, GrpcStatus expected)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(endpoints => endpoints.MapPost("/t.S/M", context =>
        {
            context.Response.ContentType = "application/grpc";
            if (status != "none") context.Response.Headers["grpc-status"] = status;
            return Task.CompletedTask;
        }));
        Assert.Equal(expected, (await Assert.ThrowsAsync<GrpcException>(() => CallAsync(server, "/t.S/M"))).Status);
    }

    [Theory]
    [InlineData("00000000")] // ends inside the prefix
    [InlineData("0000000005AA")] // ends inside the message
    [InlineData("00000000000000000000")] // two messages
    [InlineData("0200000000")] // an unknown flag
    [InlineData("0000000001FF")] // not the message
    public async Task ABrokenBodyIsInternal(string hex)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(endpoints => endpoints.MapPost("/t.S/M", async context =>
        {
            context.Response.ContentType = "application/grpc";
            context.Response.AppendTrailer("grpc-status", "0");
            await context.Response.Body.WriteAsync(Convert.FromHexString(hex));
        }));
        Assert.Equal(GrpcStatus.Internal, (await Assert.ThrowsAsync<GrpcException>(() => CallAsync(server, "/t.S/M"))).Status);
    }

    [Fact]
    public async Task TrailersThatCannotTravelAreTheHandlersMistake()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(endpoints =>
        {
            Map(endpoints, "/t.S/Good", (context, _) => Answer(context, "x-note"));
            Map(endpoints, "/t.S/Bad", (context, _) => Answer(context, "grpc-status"));
        });
        Assert.Equal("0", (await new RawCall(server) { Path = "/t.S/Good" }.SendAsync(RawCall.Frame(s_request.ToByteArray()))).Status);
        Assert.Equal("2", (await new RawCall(server) { Path = "/t.S/Bad" }.SendAsync(RawCall.Frame(s_request.ToByteArray()))).Status);
        Assert.Throws<ArgumentException>(() => new GrpcException(GrpcStatus.Internal, "", ImmutableDictionary<string, string>.Empty.Add("x", "a\r\nb")));

        static Task<ChallengeResp> Answer(GrpcCallContext context, string trailer)
        {
            context.ResponseTrailers[trailer] = "7";
            return Task.FromResult(new ChallengeResp());
        }
    }
}
