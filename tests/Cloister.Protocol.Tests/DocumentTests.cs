using System.Buffers;
using System.Net;
using System.Text.RegularExpressions;
using Cloister.Attestation;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Grpc.Health;
using Cloister.Protocol.Grpc.Reflection;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Rest;
using Cloister.Protocol.Tests.Trust;
using Cloister.Protocol.Trust;
using Cloister.Tests;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Cloister.Protocol.Tests;

/// <summary>The documents and the README are held to the code.</summary>
public sealed partial class DocumentTests
{
    private static string Read(string path) => File.ReadAllText(Path.Combine(TestData.RepositoryRoot, path));

    private static string Json(string path) => JsonBlock().Match(Read(path)).Groups[1].Value;

    [Fact]
    public void TheExamplesOfManifestsAreAccepted()
    {
        string[] examples = [.. JsonBlock().Matches(Read("docs/formats/manifest.md")).Select(match => match.Groups[1].Value)];
        Assert.Equal(2, examples.Length);
        foreach (string example in examples)
        {
            ManifestOutcome outcome = ManifestReader.Read(System.Text.Encoding.UTF8.GetBytes(example), ManifestDialect.Cloister);
            Assert.Empty(outcome.Problems);
            Assert.Empty(outcome.Warnings);
        }
    }

    [Fact]
    public void TheExampleOfAPolicyIsAccepted() =>
        Assert.Equal(ManifestRequirement.AnyManifest, CoordinatorPolicy.Read(System.Text.Encoding.UTF8.GetBytes(Json("docs/formats/coordinator-policy.md"))).Value.Manifest);

    [Fact]
    public void TheWireNamesEveryCheckAndPath()
    {
        string wire = Read("docs/wire.md");
        using var deployment = new TestDeployment();
        foreach (Check check in deployment.Judge(deployment.Coordinator()).Result.Checks.Concat(deployment.Judge(deployment.Workload()).Result.Checks))
            if (check.Id.StartsWith("coordinator.", StringComparison.Ordinal) || check.Id.StartsWith("manifest.", StringComparison.Ordinal) || check.Id.StartsWith("workload.", StringComparison.Ordinal))
                Assert.Contains($"| `{check.Id}` |", wire, StringComparison.Ordinal);
        foreach (string path in new[] { RestPaths.StatusV3, RestPaths.EvidenceV3, RestPaths.ManifestV3, RestPaths.SecretsV3, RestPaths.CredentialV3, RestPaths.WorkloadEvidence, MarbleService.AwaitingSecretTrailer, MarbleExtension.ObjectIdentifier, TpmKeyExtension.ObjectIdentifier })
            Assert.Contains(path, wire, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheReadmesGrpcWorks()
    {
        string readme = Read("src/Cloister.Protocol/README.md");
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        await using WebApplication app = builder.Build();
        app.MapGrpcUnary<ChallengeReq, ChallengeResp>("/demo.Echo/Say", ChallengeReq.Parser,
            (context, request, cancellation) => Task.FromResult(new ChallengeResp { Challenge = request.Nonce }));
        app.MapGrpcBidirectional<ChallengeReq, ChallengeResp>("/demo.Echo/Talk", ChallengeReq.Parser,
            (context, requests, cancellation) => requests.Select(request => new ChallengeResp { Challenge = request.Nonce }));
        app.MapGrpcUnary("/demo.Echo/Raw", (context, request, response, cancellation) =>
        {
            foreach (ReadOnlyMemory<byte> part in request) response.Write(part.Span);
            return ValueTask.CompletedTask;
        });
        var health = new GrpcHealthTable();
        health.Set("", GrpcServingStatus.Serving);
        app.MapGrpcHealth(health);
        app.MapGrpcReflection([MarbleReflection.Descriptor, GrpcHealthEndpoints.Descriptor]);
        app.MapGrpcUnimplemented();
        await app.StartAsync();

        using var http = new HttpMessageInvoker(new SocketsHttpHandler());
        var channel = new GrpcChannel(http, new Uri(app.Urls.First()));
        ChallengeResp answer = await channel.UnaryAsync("/demo.Echo/Say",
            new ChallengeReq { Nonce = ByteString.CopyFromUtf8("hello") }, ChallengeResp.Parser, new GrpcCallOptions { Timeout = TimeSpan.FromSeconds(30) });
        Assert.Equal("hello", answer.Challenge.ToStringUtf8());
        ChallengeReq raw = await channel.UnaryAsync("/demo.Echo/Raw", new ChallengeReq { Nonce = ByteString.CopyFromUtf8("hello") }, ChallengeReq.Parser);
        Assert.Equal("hello", raw.Nonce.ToStringUtf8());
        await using var talk = new Grpc.StreamCall(new HttpMessageInvoker(new SocketsHttpHandler()), new Uri(app.Urls.First()), "/demo.Echo/Talk");
        talk.Send(new ChallengeReq { Nonce = ByteString.CopyFromUtf8("hello") });
        talk.Complete();
        Assert.Equal("hello", ChallengeResp.Parser.ParseFrom(await talk.ReceiveAsync()).Challenge.ToStringUtf8());
        Assert.Contains("new ChallengeReq { Nonce = ByteString.CopyFromUtf8(\"hello\") }, ChallengeResp.Parser, new GrpcCallOptions { Timeout = TimeSpan.FromSeconds(30) });", readme, StringComparison.Ordinal);
    }

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex JsonBlock();
}
