using System.Buffers;
using System.IO.Compression;
using Cloister.Protocol.Grpc;
using Microsoft.AspNetCore.Routing;

namespace Cloister.Protocol.Tests.Grpc;

/// <summary>Unary methods of bytes, and how answers are compressed.</summary>
public sealed class GrpcRawUnaryTests
{
    private static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGrpcUnary("/test.Raw/Echo", EchoAsync);
        endpoints.MapGrpcUnary("/test.Raw/Always", EchoAsync, new GrpcServerOptions { Compression = GrpcCompression.Always });
        endpoints.MapGrpcUnary("/test.Raw/Never", EchoAsync, new GrpcServerOptions { Compression = GrpcCompression.Never });
        endpoints.MapGrpcUnary("/test.Raw/Silent", (_, _, _, _) => ValueTask.CompletedTask);
        endpoints.MapGrpcUnary("/test.Raw/HalfWay", (_, _, response, _) =>
        {
            response.Write("half an answer"u8);
            throw new GrpcException(GrpcStatus.Aborted, "then not") { RetryAfter = TimeSpan.FromSeconds(1.5), StatusDetails = new byte[] { 8, 10 } };
        });
    }

    private static async ValueTask EchoAsync(GrpcCallContext context, ReadOnlySequence<byte> request, IBufferWriter<byte> response, CancellationToken cancellation)
    {
        await Task.Yield(); // the request stays readable while its handler waits
        foreach (ReadOnlyMemory<byte> part in request) response.Write(part.Span);
    }

    private static byte[] Bytes(int length)
    {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) bytes[i] = (byte)(i / 50); // compresses well
        return bytes;
    }

    private static byte[] Pack(byte[] plain, string encoding)
    {
        using var output = new MemoryStream();
        using (Stream packed = encoding == "gzip" ? new GZipStream(output, CompressionLevel.Fastest) : new ZLibStream(output, CompressionLevel.Fastest)) packed.Write(plain);
        return output.ToArray();
    }

    private static byte[] Unpack(byte[] frame, string encoding)
    {
        Assert.Equal(1, frame[0]);
        using var input = new MemoryStream(frame, 5, frame.Length - 5);
        using Stream plain = encoding == "gzip" ? new GZipStream(input, CompressionMode.Decompress) : new ZLibStream(input, CompressionMode.Decompress);
        using var output = new MemoryStream();
        plain.CopyTo(output);
        return output.ToArray();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4091)]
    [InlineData(4096)]
    [InlineData(1_000_000)]
    public async Task BytesComeAndGo(int length)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(Map);
        byte[] frame = RawCall.Frame(Bytes(length));
        RawAnswer answer = await new RawCall(server) { Path = "/test.Raw/Echo" }.SendAsync(frame[..3], frame[3..]);
        Assert.Equal("0", answer.Status);
        Assert.Equal(frame, answer.Body);
    }

    [Fact]
    public async Task NothingWrittenIsAnEmptyMessage()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(Map);
        RawAnswer answer = await new RawCall(server) { Path = "/test.Raw/Silent" }.SendAsync(RawCall.Frame([1, 2, 3]));
        Assert.Equal("0", answer.Status);
        Assert.Equal(new byte[5], answer.Body);
    }

    [Fact]
    public async Task NothingOfAFailedAnswerIsSent()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(Map);
        RawAnswer answer = await new RawCall(server) { Path = "/test.Raw/HalfWay" }.SendAsync(RawCall.Frame([]));
        Assert.Equal(("10", "then not"), (answer.Status, answer.Message));
        Assert.Empty(answer.Body);
        Assert.Equal("1500", answer.Trailers["grpc-retry-pushback-ms"]);
        Assert.Equal("CAo", answer.Trailers["grpc-status-details-bin"]);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task AnAnswerIsCompressedAsItsRequestWas(string encoding)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(Map);
        byte[] plain = Bytes(10_000), request = RawCall.Frame(Pack(plain, encoding), flag: 1);
        var call = new RawCall(server) { Path = "/test.Raw/Echo", Encoding = encoding, Accept = "identity, gzip,deflate" };
        RawAnswer answer = await call.SendAsync(request);
        Assert.Equal(("0", encoding), (answer.Status, answer.Encoding));
        Assert.Equal(plain, Unpack(answer.Body, encoding));

        foreach (RawCall other in new[] { call with { Accept = null }, call with { Accept = "identity" }, call with { Path = "/test.Raw/Never" } })
        {
            answer = await other.SendAsync(request);
            Assert.Equal(("0", null), (answer.Status, answer.Encoding));
            Assert.Equal(RawCall.Frame(plain), answer.Body);
        }
    }

    [Theory]
    [InlineData("gzip,deflate", "gzip")]
    [InlineData("deflate", "deflate")]
    [InlineData("br, gzip", "gzip")]
    [InlineData("br", null)]
    [InlineData(null, null)]
    public async Task AServiceMayAskForIt(string? accept, string? encoding)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(Map);
        byte[] plain = Bytes(10_000);
        RawAnswer answer = await new RawCall(server) { Path = "/test.Raw/Always", Accept = accept }.SendAsync(RawCall.Frame(plain));
        Assert.Equal(("0", encoding), (answer.Status, answer.Encoding));
        Assert.Equal(plain, encoding is null ? answer.Body[5..] : Unpack(answer.Body, encoding));
    }

    [Fact]
    public async Task WhatCompressionDoesNotShortenGoesPlain()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(Map);
        byte[] noise = new byte[1000];
        new Random(3).NextBytes(noise);
        foreach (byte[] message in new[] { Bytes(10), noise })
        {
            RawAnswer answer = await new RawCall(server) { Path = "/test.Raw/Always", Accept = "gzip" }.SendAsync(RawCall.Frame(message));
            Assert.Equal(RawCall.Frame(message), answer.Body);
        }
    }

    [Fact]
    public void APathIsAServiceAndAMethod()
    {
        foreach (string path in new[] { "", "x", "/x", "//x", "/x/", "x/y" })
            Assert.ThrowsAny<ArgumentException>(() => GrpcMethod.Of(path, EchoAsync));
        Assert.Throws<ArgumentOutOfRangeException>(() => GrpcMethod.Of("/a.B/C", GrpcMethodKind.Unary, (_, _, _, _) => Task.CompletedTask));
    }
}
