using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Cloister.Coordinator.Tests.Hosting;

namespace Cloister.Coordinator.Tests.Rest;

public sealed class MarbleRunSurfaceTests : IAsyncLifetime
{
    private readonly X509Certificate2 _user = TestManifest.Certificate("user");
    private TestCoordinator _coordinator = null!;

    private string Manifest => $$"""
        {
          "Packages": { "p": { "UniqueID": "{{new string('7', 64)}}", "Debug": true } },
          "Marbles": { "m": { "Package": "p" } },
          "Secrets": { "k": { "Type": "symmetric-key", "Size": 128, "UserDefined": true } },
          "Users": { "u": { "Certificate": {{JsonSerializer.Serialize(_user.ExportCertificatePem())}}, "Roles": ["r"] } },
          "Roles": { "r": { "ResourceType": "Secrets", "ResourceNames": ["k"], "Actions": ["ReadSecret", "WriteSecret"] } },
          "Clients": {}
        }
        """;

    public async Task InitializeAsync() => _coordinator = await TestCoordinator.StartAsync(options => options with { Simulation = true });

    public async Task DisposeAsync() => await _coordinator.DisposeAsync();

    [Fact]
    public async Task Version_two_has_marbleruns_shapes()
    {
        Assert.Equal("""{"status":"success","data":{"code":2,"message":"Coordinator is ready to accept a manifest."}}""", (await _coordinator.GetAsync("/api/v2/status")).Json.ToString());
        (int code, JsonElement quote) = await _coordinator.GetAsync("/api/v2/quote?nonce=" + Convert.ToBase64String(new byte[9]));
        Assert.Equal(200, code);
        Assert.Equal(JsonValueKind.Null, quote.GetProperty("data").GetProperty("quote").ValueKind);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(quote.GetProperty("data").GetProperty("cert").GetString());
        Assert.Equal(_coordinator.Host.State.Current.Authority.Intermediate.RawData, chain[0].RawData);
        Assert.Equal(_coordinator.Host.State.Current.Authority.Root.RawData, chain[1].RawData);
        Assert.Equal(400, (await _coordinator.GetAsync("/api/v2/quote?nonce=!")).Code);
        Assert.Equal(500, (await _coordinator.GetAsync("/api/v2/manifest")).Code);

        string body = JsonSerializer.Serialize(new { manifest = Encoding.UTF8.GetBytes(Manifest) });
        (code, JsonElement set) = await _coordinator.PostAsync("/api/v2/manifest", body, contentType: "text/plain");
        Assert.Equal((200, """{"status":"success","data":{"RecoverySecrets":{}}}"""), (code, set.ToString()));
        Assert.Equal(500, (await _coordinator.PostAsync("/api/v2/manifest", body)).Code);
        JsonElement manifest = (await _coordinator.GetAsync("/api/v2/manifest")).Json.GetProperty("data");
        Assert.Equal(Manifest, Encoding.UTF8.GetString(manifest.GetProperty("manifest").GetBytesFromBase64()));
        Assert.Equal(TestManifest.Fingerprint(Manifest), manifest.GetProperty("manifestFingerprint").GetString());
        using ECDsa root = _coordinator.Host.State.Current.Authority.Root.GetECDsaPublicKey()!;
        Assert.True(root.VerifyData(Encoding.UTF8.GetBytes(Manifest), manifest.GetProperty("manifestSignatureRootECDSA").GetBytesFromBase64(), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));

        string secret = """{"secrets":{"k":{"Key":"AAAAAAAAAAAAAAAAAAAAAA=="}}}""";
        Assert.Equal("""{"status":"success","data":null}""", (await _coordinator.PostAsync("/api/v2/secrets", secret, _user)).Json.ToString());
        JsonElement read = (await _coordinator.GetAsync("/api/v2/secrets?s=k", _user)).Json.GetProperty("data").GetProperty("secrets").GetProperty("k");
        Assert.Equal("AAAAAAAAAAAAAAAAAAAAAA==", read.GetProperty("Private").GetString());
        Assert.Equal(2, (await _coordinator.GetAsync("/api/v2/update")).Json.GetProperty("data").GetProperty("updateLog").GetArrayLength());
        (code, JsonElement refused) = await _coordinator.GetAsync("/api/v2/secrets?s=k");
        Assert.Equal((401, "fail"), (code, refused.GetProperty("status").GetString()));
        Assert.Equal(400, (await _coordinator.GetAsync("/api/v2/secrets", _user)).Code);
        Assert.Equal(500, (await _coordinator.GetAsync("/api/v2/secrets?s=other", _user)).Code);
    }

    [Fact]
    public async Task Version_one_has_marbleruns_shapes()
    {
        Assert.Equal(500, (await _coordinator.GetAsync("/update")).Code);
        Assert.Equal("""{"status":"success","data":{"StatusCode":2,"StatusMessage":"Coordinator is ready to accept a manifest."}}""", (await _coordinator.GetAsync("/status")).Json.ToString());
        Assert.Equal("""{"status":"success","data":{"ManifestSignatureRootECDSA":null,"ManifestSignature":"","Manifest":null}}""", (await _coordinator.GetAsync("/manifest")).Json.ToString());
        Assert.Equal(JsonValueKind.Null, (await _coordinator.GetAsync("/quote")).Json.GetProperty("data").GetProperty("Quote").ValueKind);
        Assert.Equal(400, (await _coordinator.PostAsync("/manifest", "{}")).Code);
        Assert.Equal("""{"status":"success","data":null}""", (await _coordinator.PostAsync("/manifest", Manifest, contentType: "text/plain")).Json.ToString());
        Assert.Equal(TestManifest.Fingerprint(Manifest), (await _coordinator.GetAsync("/manifest")).Json.GetProperty("data").GetProperty("ManifestSignature").GetString());
        Assert.Equal("""{"status":"success","data":null}""", (await _coordinator.PostAsync("/secrets", """{"k":{"Key":"AAAAAAAAAAAAAAAAAAAAAA=="}}""", _user)).Json.ToString());
        Assert.Equal("symmetric-key", (await _coordinator.GetAsync("/secrets?s=k", _user)).Json.GetProperty("data").GetProperty("k").GetProperty("Type").GetString());
        using (HttpClient client = _coordinator.Client())
        using (HttpResponseMessage unknown = await client.GetAsync("/secrets?s=k"))
            Assert.Equal((401, "text/plain"), ((int)unknown.StatusCode, unknown.Content.Headers.ContentType!.MediaType));
        Assert.Contains("Initial manifest set", (await _coordinator.GetAsync("/update")).Json.GetProperty("data").GetString(), StringComparison.Ordinal);
    }

    [Theory, InlineData("GET", "/"), InlineData("GET", "/api/v2/nothing"), InlineData("DELETE", "/api/v2/status"), InlineData("PUT", "/manifest"), InlineData("POST", "/api/v2/recover/public-key"), InlineData("GET", "/update-cancel"), InlineData("GET", "/STATUS"), InlineData("GET", "/api/v2/status/"), InlineData("HEAD", "/api/v2/status")]
    public async Task Unknown_paths_and_methods_are_405(string method, string path)
    {
        using HttpClient client = _coordinator.Client();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using HttpResponseMessage response = await client.SendAsync(request);
        Assert.Equal(405, (int)response.StatusCode);
        Assert.Equal("text/plain", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal(method == "HEAD" ? "" : "{\"status\":\"error\",\"data\":null}\n", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Errors_are_text_and_failures_json()
    {
        using HttpClient client = _coordinator.Client();
        using HttpResponseMessage failure = await client.PostAsync("/api/v2/manifest", new StringContent("nonsense"));
        Assert.Equal((400, "application/json"), ((int)failure.StatusCode, failure.Content.Headers.ContentType!.MediaType));
        Assert.Equal("fail", (await TestCoordinator.ReadAsync(failure)).Json.GetProperty("status").GetString());
        using HttpResponseMessage error = await client.PostAsync("/manifest", new StringContent("nonsense"));
        Assert.Equal((400, "text/plain"), ((int)error.StatusCode, error.Content.Headers.ContentType!.MediaType));
        (_, JsonElement body) = await TestCoordinator.ReadAsync(error);
        Assert.Equal(("error", JsonValueKind.Null), (body.GetProperty("status").GetString(), body.GetProperty("data").ValueKind));
        using HttpResponseMessage own = await client.GetAsync("/api/v3/nothing");
        Assert.Equal((405, "application/json"), ((int)own.StatusCode, own.Content.Headers.ContentType!.MediaType));
    }

    [Fact]
    public async Task Without_simulation_a_quote_is_refused_with_the_way_to_evidence()
    {
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync();
        (int code, JsonElement answer) = await coordinator.GetAsync("/api/v2/quote");
        Assert.Equal(500, code);
        Assert.Contains("/api/v3/evidence", answer.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_coordinator_without_an_attester_says_so()
    {
        (int code, JsonElement answer) = await _coordinator.GetAsync("/api/v3/evidence?nonce=" + new string('A', 43));
        Assert.Equal((503, "NoEvidence"), (code, answer.GetProperty("code").GetString()));
    }
}
