using System.IO.Compression;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Google.Protobuf;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Cloister.Protocol.Tests.Grpc;

/// <summary>The server against requests made by hand, over real sockets.</summary>
public sealed class GrpcServerTests
{
    private static readonly GrpcServerOptions s_small = new() { MaxRequestBytes = 1000 };

    private static void MapEcho(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGrpcUnary<ChallengeReq, ChallengeResp>("/test.Echo/Unary", ChallengeReq.Parser,
            (_, request, _) => Task.FromResult(new ChallengeResp { Challenge = request.Nonce }), s_small);
        endpoints.MapGrpcUnary<ChallengeReq, ChallengeResp>("/test.Echo/Wait", ChallengeReq.Parser, async (_, _, cancellation) =>
        {
            await Task.Delay(Timeout.Infinite, cancellation);
            return new ChallengeResp();
        }, s_small);
        endpoints.MapGrpcUnary<ChallengeReq, ChallengeResp>("/test.Echo/Fail", ChallengeReq.Parser,
            (_, _, _) => throw new InvalidOperationException("a secret of the server"));
        endpoints.MapGrpcUnimplemented();
    }

    private static byte[] Message(string nonce) => new ChallengeReq { Nonce = ByteString.CopyFromUtf8(nonce) }.ToByteArray();

    private static byte[] Gzip(byte[] plain)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Fastest)) gzip.Write(plain);
        return output.ToArray();
    }

    [Fact]
    public async Task APrefixAndMessageInSinglesBytesAreReassembled()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(MapEcho);
        byte[][] pieces = [.. RawCall.Frame(Message("hello")).Select(b => new[] { b })];
        RawAnswer answer = await new RawCall(server).SendAsync(pieces);
        Assert.Equal((200, "0"), (answer.Http, answer.Status));
        Assert.Equal("hello", ChallengeResp.Parser.ParseFrom(answer.Body.AsSpan(5)).Challenge.ToStringUtf8());
    }

    [Fact]
    public async Task AZeroLengthMessageIsAMessage()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(MapEcho);
        RawAnswer answer = await new RawCall(server).SendAsync(RawCall.Frame([]));
        Assert.Equal("0", answer.Status);
        Assert.Equal([0, 0, 0, 0, 0], answer.Body);
    }

    [Fact]
    public async Task AGzipMessageIsInflated()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(MapEcho);
        RawAnswer answer = await new RawCall(server) { Encoding = "gzip" }.SendAsync(RawCall.Frame(Gzip(Message("packed")), flag: 1));
        Assert.Equal("0", answer.Status);
        Assert.Equal("packed", ChallengeResp.Parser.ParseFrom(answer.Body.AsSpan(5)).Challenge.ToStringUtf8());
    }

    [Fact]
    public async Task AMessageThatInflatesOverTheLimitIsRefused()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(MapEcho);
        byte[] bomb = Gzip(new ChallengeReq { Nonce = ByteString.CopyFrom(new byte[500_000]) }.ToByteArray());
        Assert.True(bomb.Length < 1000 * 5);
        RawAnswer answer = await new RawCall(server) { Encoding = "gzip" }.SendAsync(RawCall.Frame(Gzip(Message(new string('x', 5000))), flag: 1));
        Assert.Equal("8", answer.Status);
    }

    [Theory]
    [InlineData("gzip", 1, "13")] // flagged as gzip, but is not
    [InlineData(null, 1, "13")] // flagged, with no encoding named
    [InlineData("identity", 1, "13")]
    [InlineData("br", 1, "12")] // an encoding we do not have
    [InlineData(null, 2, "13")] // no such flag
    public async Task AWrongCompressionIsRefused(string? encoding, byte flag, string status)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(MapEcho);
        RawAnswer answer = await new RawCall(server) { Encoding = encoding }.SendAsync(RawCall.Frame(Message("x"), flag));
        Assert.Equal((200, status), (answer.Http, answer.Status));
        Assert.Equal("identity,gzip,deflate", answer.AcceptEncoding);
    }

    [Fact]
    public async Task AnOversizedMessageIsRefusedByItsPrefix()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(MapEcho);
        RawAnswer answer = await new RawCall(server).SendAsync([0, 0xFF, 0xFF, 0xFF, 0xFF]);
        Assert.Equal("8", answer.Status);
        answer = await new RawCall(server).SendAsync(RawCall.Frame(new byte[1001]));
        Assert.Equal("8", answer.Status);
    }

    [Fact]
    public async Task ABodyWithoutExactlyOneMessageIsRefused()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(MapEcho);
        Assert.Equal("12", (await new RawCall(server).SendAsync()).Status);
        Assert.Equal("12", (await new RawCall(server).SendAsync(RawCall.Frame(Message("a")), RawCall.Frame(Message("b")))).Status);
        Assert.Equal("13", (await new RawCall(server).SendAsync([0, 0])).Status);
        Assert.Equal("13", (await new RawCall(server).SendAsync(RawCall.Frame(Message("cut"))[..^1])).Status);
    }

    [Fact]
    public async Task BytesThatAreNotTheMessageAreRefused()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(MapEcho);
        Assert.Equal("13", (await new RawCall(server).SendAsync(RawCall.Frame([0xFF, 0xFF, 0xFF]))).Status);
    }

    [Theory]
    [InlineData("1n")]
    [InlineData("900n")]
    [InlineData("1u")]
    [InlineData("1m")]
    [InlineData("00000001m")]
    public async Task AShortTimeoutEndsTheCall(string timeout)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(MapEcho);
        RawAnswer answer = await new RawCall(server) { Path = "/test.Echo/Wait", Timeout = timeout }.SendAsync(RawCall.Frame(Message("x")));
        Assert.Equal((200, "4"), (answer.Http, answer.Status));
    }

    [Theory]
    [InlineData("1H")]
    [InlineData("99999999H")]
    [InlineData("5M")]
    [InlineData("60S")]
    [InlineData("99999999m")]
    public async Task ALongTimeoutDoesNot(string timeout)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(MapEcho);
        Assert.Equal("0", (await new RawCall(server) { Timeout = timeout }.SendAsync(RawCall.Frame(Message("x")))).Status);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("S")]
    [InlineData("1s")]
    [InlineData("-1S")]
    [InlineData("1.5S")]
    [InlineData("123456789S")]
    public async Task AMalformedTimeoutIsRefused(string timeout)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(MapEcho);
        Assert.Equal("13", (await new RawCall(server) { Timeout = timeout }.SendAsync(RawCall.Frame(Message("x")))).Status);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/grpc-web")]
    [InlineData("application/grpc+json")]
    [InlineData("text/plain")]
    public async Task AnotherContentTypeIsAnsweredByHttp(string type)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(MapEcho);
        RawAnswer answer = await new RawCall(server) { ContentType = type }.SendAsync(RawCall.Frame(Message("x")));
        Assert.Equal((415, null), (answer.Http, answer.Status));
    }

    [Theory]
    [InlineData("application/grpc+proto")]
    [InlineData("application/grpc;charset=utf-8")]
    [InlineData("Application/GRPC")]
    public async Task ItsOtherSpellingsAreNot(string type)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(MapEcho);
        Assert.Equal("0", (await new RawCall(server) { ContentType = type }.SendAsync(RawCall.Frame(Message("x")))).Status);
    }

    [Fact]
    public async Task AnUnknownMethodIsUnimplemented()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(MapEcho);
        RawAnswer answer = await new RawCall(server) { Path = "/test.Echo/Nope" }.SendAsync(RawCall.Frame(Message("x")));
        Assert.Equal((200, "12"), (answer.Http, answer.Status));
        answer = await new RawCall(server) { Path = "/test.Echo/Nope", ContentType = "text/plain" }.SendAsync(RawCall.Frame(Message("x")));
        Assert.Equal(404, answer.Http);
    }

    [Fact]
    public async Task AFailingHandlerTellsNothingOfItself()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(MapEcho);
        RawAnswer answer = await new RawCall(server) { Path = "/test.Echo/Fail" }.SendAsync(RawCall.Frame(Message("x")));
        Assert.Equal("2", answer.Status);
        Assert.DoesNotContain("secret", answer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Http1IsToldToUpgrade()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(MapEcho, protocols: HttpProtocols.Http1);
        using var client = new HttpClient();
        using var content = new ByteArrayContent(RawCall.Frame(Message("x")));
        content.Headers.ContentType = new("application/grpc");
        using HttpResponseMessage response = await client.PostAsync(new Uri(server.Address, "/test.Echo/Unary"), content);
        Assert.Equal(426, (int)response.StatusCode);
    }
}
