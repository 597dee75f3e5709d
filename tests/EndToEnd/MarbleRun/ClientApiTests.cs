using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Cloister.EndToEnd.MarbleRun;

/// <summary>The client API as MarbleRun's Go client meets it: shapes, codes and messages were recorded from MarbleRun 1.9.1.</summary>
public sealed class ClientApiTests
{
    private const string Unauthorized = "unauthorized user: client certificate did not match any MarbleRun users";

    [Fact]
    public async Task Before_a_manifest_it_answers_as_marblerun()
    {
        await using MarbleRunFlow flow = await MarbleRunFlow.StartAsync();
        using MarbleRunApi api = flow.Coordinator.Api();
        Assert.Equal("""{"status":"success","data":{"code":2,"message":"Coordinator is ready to accept a manifest."}}""" + "\n", (await api.GetAsync("/api/v2/status")).Succeeded().Body);
        Assert.Equal("""{"status":"success","data":{"StatusCode":2,"StatusMessage":"Coordinator is ready to accept a manifest."}}""" + "\n", (await api.GetAsync("/status")).Succeeded().Body);
        Assert.Equal("""{"status":"success","data":{"ManifestSignatureRootECDSA":null,"ManifestSignature":"","Manifest":null}}""" + "\n", (await api.GetAsync("/manifest")).Succeeded().Body);
        (await api.GetAsync("/api/v2/manifest")).IsError(500, "requested value not set");
        (await api.GetAsync("/api/v2/update")).IsError(500, "server is not in expected state");
        (await api.GetAsync("/api/v2/update-manifest")).IsError(404, "no update in progress");
        (await api.GetAsync("/api/v2/recover/public-key")).IsError(500, "server is not in expected state");
        (await api.PostAsync("/api/v2/sign-quote", "{}")).IsError(403, "SignQuoteEndpoint feature is not enabled in the manifest");
        (await api.PostAsync("/api/v2/monotonic-counter", "{}")).IsError(403, "MonotonicCounter feature is not enabled in the manifest");
        (await api.PostAsync("/recover", "x")).IsError(410, "Recovering the Coordinator using the /recover API endpoint has been disabled. Use the /api/v2/recover endpoint instead.");
        foreach (string path in new[] { "secrets", "update", "update-manifest", "update-cancel" })
        {
            (await api.PostAsync("/" + path, "{}")).IsError(401, Unauthorized);
            (await api.PostAsync("/api/v2/" + path, "{}")).IsFailure(401, Unauthorized);
        }
        (await MarbleRunMarble.ActivateAsync(flow.Coordinator, "client")).IsRefused(Activated.FailedPrecondition, "cannot accept marbles in current state");
    }

    [Theory]
    [InlineData("GET", "/")]
    [InlineData("GET", "/api/v2/nope")]
    [InlineData("GET", "/STATUS")]
    [InlineData("GET", "/api/v2/status/")]
    [InlineData("POST", "/api/v2/status")]
    [InlineData("PUT", "/api/v2/manifest")]
    [InlineData("HEAD", "/api/v2/status")]
    [InlineData("OPTIONS", "/api/v2/secrets")]
    public async Task What_it_does_not_know_is_405_never_404(string method, string path)
    {
        await using MarbleRunFlow flow = await MarbleRunFlow.StartAsync();
        using MarbleRunApi api = flow.Coordinator.Api();
        RestAnswer answer = await api.SendAsync(new HttpMethod(method), path, null);
        Assert.Equal((405, "text/plain; charset=utf-8", method == "HEAD" ? "" : """{"status":"error","data":null}""" + "\n"), (answer.Code, answer.ContentType, answer.Body));
        Assert.Equal(2, await api.StatusAsync());
    }

    [Fact]
    public async Task The_manifest_is_set_once_signed_and_read_back()
    {
        await using MarbleRunFlow flow = await MarbleRunFlow.StartAsync();
        using MarbleRunApi api = flow.Coordinator.Api();
        string manifest = flow.Manifest().ToJsonString();
        RestAnswer bad = await api.PostManifestAsync("/api/v2/manifest", "{}");
        bad.IsError(500, "checking manifest: no allowed packages defined");
        (await api.PostAsync("/manifest", "{}")).IsError(400, "checking manifest: no allowed packages defined");
        Assert.Equal((400, "application/json"), ((await api.PostAsync("/api/v2/manifest", "no json")).Code, (await api.PostAsync("/api/v2/manifest", "no json")).ContentType));
        RestAnswer set = (await api.PostManifestAsync("/api/v2/manifest", manifest)).Succeeded();
        Assert.Equal(256, Convert.FromBase64String((string)set.Data["RecoverySecrets"]!["owner"]!).Length);
        (await api.PostManifestAsync("/api/v2/manifest", manifest)).IsError(500, "server is not in expected state");
        (await api.PostAsync("/manifest", manifest)).IsError(400, "server is not in expected state");
        Assert.Equal(3, await api.StatusAsync());

        RestAnswer read = (await api.GetAsync("/api/v2/manifest")).Succeeded();
        Assert.Equal(manifest, Encoding.UTF8.GetString(Convert.FromBase64String((string)read.Data["manifest"]!)));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(manifest))), (string)read.Data["manifestFingerprint"]!);
        using ECDsa root = api.Root!.GetECDsaPublicKey()!;
        Assert.True(root.VerifyData(Encoding.UTF8.GetBytes(manifest), Convert.FromBase64String((string)read.Data["manifestSignatureRootECDSA"]!), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        Assert.Equal((string)read.Data["manifestFingerprint"]!, (string)(await api.GetAsync("/manifest")).Succeeded().Data["ManifestSignature"]!);

        RestAnswer quote = (await api.GetAsync("/api/v2/quote?nonce=AAECAw==")).Succeeded();
        Assert.Null(quote.Data["quote"]);
        Assert.DoesNotContain("\\u002B", quote.Body, StringComparison.Ordinal);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem((string)quote.Data["cert"]!);
        Assert.Equal(api.Root!.RawData, chain[1].RawData);
        Assert.Equal(["CN=MarbleRun Coordinator - Intermediate CA", "CN=MarbleRun Coordinator"], chain.Select(certificate => certificate.Subject));
        Assert.Equal(400, (await api.GetAsync("/api/v2/quote?nonce=!")).Code);
    }

    [Fact]
    public async Task Secrets_are_written_and_read_by_the_users_who_may()
    {
        await using MarbleRunFlow flow = await MarbleRunFlow.StartAsync();
        await flow.SetAsync();
        Assert.Equal(Activated.Internal, (await flow.ActivateAsync("waiting")).Code);
        const string body = """{"secrets":{"user":{"Key":"AAECAwQFBgcICQoLDA0ODw=="}}}""";
        using MarbleRunApi owner = flow.Coordinator.Api(flow.Owner), first = flow.Coordinator.Api(flow.First), stranger = flow.Coordinator.Api(flow.Stranger);
        (await stranger.PostAsync("/api/v2/secrets", body)).IsFailure(401, Unauthorized);
        (await stranger.PostAsync("/secrets", body)).IsError(401, Unauthorized);
        (await first.PostAsync("/api/v2/secrets", body)).IsError(500, "user first is not allowed to update secret: user");
        (await first.GetAsync("/api/v2/secrets?s=user")).IsError(500, "user first is not allowed to read one or more secrets of: [user]");
        (await owner.PostAsync("/api/v2/secrets", """{"secrets":{"shared":{"Key":"AAECAwQFBgcICQoLDA0ODw=="}}}""")).IsError(500, "parsing new secrets: secret shared is not writeable");
        (await owner.GetAsync("/api/v2/secrets")).IsFailure(400, "invalid query: endpoint requires at least one query parameter");
        (await owner.GetAsync("/api/v2/secrets?s=")).IsFailure(400, "malformed query string: empty query parameter");
        Assert.Equal("""{"status":"success","data":null}""" + "\n", (await owner.PostAsync("/api/v2/secrets", body)).Succeeded().Body);
        Assert.Equal("AAECAwQFBgcICQoLDA0ODw==", (string)(await owner.GetAsync("/api/v2/secrets?s=user")).Succeeded().Data["secrets"]!["user"]!["Private"]!);
        Assert.Equal("AAECAwQFBgcICQoLDA0ODw==", (string)(await owner.GetAsync("/secrets?s=user")).Succeeded().Data["user"]!["Public"]!);
        Assert.Equal(Convert.FromHexString("000102030405060708090a0b0c0d0e0f"), (await flow.ActivateAsync("waiting")).Succeeded().Files["/tmp/user"]);
        string[] log = [.. (await owner.GetAsync("/api/v2/update")).Succeeded().Data["updateLog"]!.AsArray().Select(line => (string)line!)];
        Assert.Equal(2, log.Length);
        Assert.EndsWith(""","update":"Initial manifest set"}""", log[0], StringComparison.Ordinal);
        Assert.EndsWith(""","update":"Secret set","user":"owner","secret":"user","type":"symmetric-key"}""", log[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_startup_manifest_is_in_force_before_the_first_request()
    {
        using var owner = new MarbleRunUser("owner");
        using var first = new MarbleRunUser("first");
        using var second = new MarbleRunUser("second");
        await using MarbleRunCoordinator coordinator = await MarbleRunCoordinator.StartAsync(MarbleRunManifest.Create(owner, first, second).ToJsonString());
        using MarbleRunApi api = coordinator.Api();
        Assert.Equal(3, await api.StatusAsync());
    }
}
