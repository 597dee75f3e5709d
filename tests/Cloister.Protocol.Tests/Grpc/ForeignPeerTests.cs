using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Google.Protobuf;
using Microsoft.AspNetCore.Routing;

namespace Cloister.Protocol.Tests.Grpc;

/// <summary>Our server and client against @grpc/grpc-js, in a process of its own.</summary>
public sealed class ForeignPeerTests
{
    private const string Detail = "100 % größer";

    private static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGrpcUnary<ChallengeReq, ChallengeResp>("/test.Echo/Unary", ChallengeReq.Parser,
            (_, request, _) => Task.FromResult(new ChallengeResp { Challenge = request.Nonce }));
        endpoints.MapGrpcUnary<ChallengeReq, ChallengeResp>("/test.Echo/Refuse", ChallengeReq.Parser, (_, _, _) =>
            throw new GrpcException(GrpcStatus.Internal, Detail, ImmutableDictionary<string, string>.Empty.Add(MarbleService.AwaitingSecretTrailer, "a,b")));
        endpoints.MapGrpcUnary<ChallengeReq, ChallengeResp>("/test.Echo/Wait", ChallengeReq.Parser, async (_, _, cancellation) =>
        {
            await Task.Delay(Timeout.Infinite, cancellation);
            return new ChallengeResp();
        });
        endpoints.MapGrpcUnimplemented();
    }

    [ForeignPeerFact]
    public async Task AForeignClientWithoutTls() => await ForeignClientAsync(tls: false);

    [ForeignPeerFact]
    public async Task AForeignClientWithTls() => await ForeignClientAsync(tls: true);

    private static async Task ForeignClientAsync(bool tls)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync(Map, tls);
        string? root = tls ? Path.GetTempFileName() : null;
        if (root is not null) await File.WriteAllTextAsync(root, server.Certificate!.ExportCertificatePem());
        using Process node = NodePeer.Start("client.js", root is null ? [server.Address.Authority] : [server.Address.Authority, root]);
        var results = new Dictionary<string, JsonElement>();
        while (await node.StandardOutput.ReadLineAsync() is { } line)
        {
            JsonElement result = JsonDocument.Parse(line).RootElement;
            results.Add(result.GetProperty("name").GetString()!, result);
        }
        await node.WaitForExitAsync();
        if (root is not null) File.Delete(root);

        foreach (string name in new[] { "echo", "empty", "large", "gzip" })
        {
            Assert.Equal(0, Code(name));
            Assert.True(results[name].GetProperty("same").GetBoolean(), name);
        }
        Assert.Equal((int)GrpcStatus.ResourceExhausted, Code("too large"));
        Assert.Equal((int)GrpcStatus.Internal, Code("malformed"));
        Assert.Equal((int)GrpcStatus.Internal, Code("refused"));
        Assert.Equal(Detail, results["refused"].GetProperty("details").GetString());
        Assert.Equal("a,b", results["refused"].GetProperty("trailer").GetString());
        Assert.Equal((int)GrpcStatus.Unimplemented, Code("unknown method"));
        Assert.Equal((int)GrpcStatus.DeadlineExceeded, Code("deadline"));
        Assert.Equal((int)GrpcStatus.Cancelled, Code("cancel"));

        int Code(string name) => results[name].GetProperty("code").GetInt32();
    }

    [ForeignPeerFact]
    public async Task AForeignServer()
    {
        using Process node = NodePeer.Start("server.js");
        int port = int.Parse((await node.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture);
        using var http = new HttpMessageInvoker(new SocketsHttpHandler());
        var channel = new GrpcChannel(http, new Uri($"http://127.0.0.1:{port}"));

        foreach (int length in new[] { 0, 5, 100_000, 3 << 20 }) // answers come compressed
        {
            var request = new ChallengeReq { Nonce = ByteString.CopyFrom(new byte[length]) };
            ChallengeResp answer = await channel.UnaryAsync("/test.Echo/Unary", request, ChallengeResp.Parser);
            Assert.Equal(length, answer.Challenge.Length);
        }
        GrpcException refused = await Assert.ThrowsAsync<GrpcException>(() => channel.UnaryAsync("/test.Echo/Refuse", new ChallengeReq(), ChallengeResp.Parser));
        Assert.Equal((GrpcStatus.Internal, Detail, "a,b"), (refused.Status, refused.Detail, refused.Trailers[MarbleService.AwaitingSecretTrailer]));
        Assert.Equal(GrpcStatus.Unimplemented, (await Assert.ThrowsAsync<GrpcException>(() => channel.UnaryAsync("/test.Echo/Nope", new ChallengeReq(), ChallengeResp.Parser))).Status);
        Assert.Equal(GrpcStatus.DeadlineExceeded, (await Assert.ThrowsAsync<GrpcException>(() =>
            channel.UnaryAsync("/test.Echo/Wait", new ChallengeReq(), ChallengeResp.Parser, new GrpcCallOptions { Timeout = TimeSpan.FromMilliseconds(300) }))).Status);

        node.StandardInput.Close();
        await node.WaitForExitAsync();
    }
}
