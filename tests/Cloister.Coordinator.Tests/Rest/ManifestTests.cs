using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Protocol.Rest;

namespace Cloister.Coordinator.Tests.Rest;

public sealed class ManifestTests : IAsyncLifetime
{
    private TestCoordinator _coordinator = null!;
    private TestManifest _manifest = null!;

    public async Task InitializeAsync()
    {
        _coordinator = await TestCoordinator.StartAsync();
        _manifest = new TestManifest(_coordinator.HostKey);
    }

    public async Task DisposeAsync() => await _coordinator.DisposeAsync();

    [Fact]
    public async Task A_manifest_is_set_once_and_read_back_as_it_was_sent()
    {
        string text = " \n" + _manifest.Text + "\n";
        (int code, JsonElement answer) = await _coordinator.SetManifestAsync(text);
        Assert.Equal(200, code);
        Assert.Equal(TestManifest.Fingerprint(text), answer.GetProperty("data").GetProperty("fingerprint").GetString());
        JsonElement read = (await _coordinator.GetAsync("/api/v3/manifest")).Json.GetProperty("data");
        Assert.Equal(text, Encoding.UTF8.GetString(read.GetProperty("manifest").GetBytesFromBase64()));
        Assert.Equal(TestManifest.Fingerprint(text), read.GetProperty("fingerprint").GetString());

        (code, answer) = await _coordinator.SetManifestAsync(text);
        Assert.Equal((409, "WrongState"), (code, answer.GetProperty("code").GetString()));
        Assert.Equal(3, (await _coordinator.GetAsync("/api/v3/status")).Json.GetProperty("data").GetProperty("code").GetInt32());
    }

    [Fact]
    public async Task Of_many_manifests_at_once_exactly_one_is_in_force()
    {
        string[] manifests = [.. Enumerable.Range(0, 8).Select(i => _manifest.Text + new string(' ', i))];
        (int Code, JsonElement Json)[] answers = await Task.WhenAll(manifests.Select(manifest => _coordinator.SetManifestAsync(manifest)));
        int winner = Assert.Single(Enumerable.Range(0, 8), i => answers[i].Code == 200);
        Assert.All(answers.Where((_, i) => i != winner), answer => Assert.Equal(409, answer.Code));
        JsonElement read = (await _coordinator.GetAsync("/api/v3/manifest")).Json.GetProperty("data");
        Assert.Equal(TestManifest.Fingerprint(manifests[winner]), read.GetProperty("fingerprint").GetString());
        Assert.Single(_coordinator.Host.State.Current.UpdateLog);
    }

    [Fact]
    public async Task All_problems_of_a_manifest_are_named_and_nothing_is_set()
    {
        JsonObject manifest = _manifest.Json();
        manifest["Unknown"] = 1;
        manifest["Marbles"]!["server"]!["Package"] = "nowhere";
        (int code, JsonElement answer) = await _coordinator.SetManifestAsync(manifest.ToJsonString());
        Assert.Equal((400, "fail", "ManifestRefused"), (code, answer.GetProperty("status").GetString(), answer.GetProperty("code").GetString()));
        Assert.Contains("Unknown", answer.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(2, (await _coordinator.GetAsync("/api/v3/status")).Json.GetProperty("data").GetProperty("code").GetInt32());
        Assert.Equal(200, (await _coordinator.SetManifestAsync(_manifest.Text)).Code);
    }

    [Fact]
    public async Task What_this_version_cannot_do_is_refused_by_name()
    {
        await AssertNotSupportedAsync("Secrets.c: Size", manifest => manifest["Secrets"]!["c"] = JsonNode.Parse("""{"Type":"cert-rsa","Size":9216}"""));
        await AssertNotSupportedAsync("SealMode", manifest => manifest["Config"] = JsonNode.Parse("""{"SealMode":"UniqueKey"}"""));
        await AssertNotSupportedAsync("Azure HSM", manifest => manifest["Config"] = JsonNode.Parse("""{"FeatureGates":["azurehsmsealing"]}"""));
        Assert.Equal(2, (int)_coordinator.Host.State.Current.State);

        async Task AssertNotSupportedAsync(string named, Action<JsonObject> change)
        {
            JsonObject manifest = _manifest.Json();
            change(manifest);
            (int code, JsonElement answer) = await _coordinator.SetManifestAsync(manifest.ToJsonString());
            Assert.Equal((400, "ManifestNotSupported"), (code, answer.GetProperty("code").GetString()));
            Assert.Contains(named, answer.GetProperty("message").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Bad_bodies_get_a_precise_refusal()
    {
        await AssertRefusedAsync(400, "BadRequest", "{");
        await AssertRefusedAsync(400, "BadRequest", "");
        await AssertRefusedAsync(400, "BadRequest", "null");
        await AssertRefusedAsync(400, "BadRequest", """{"manifest":"e30="}""");
        await AssertRefusedAsync(400, "BadRequest", """{"manifest":"not base64","ownerSignatures":[]}""");
        await AssertRefusedAsync(400, "BadRequest", """{"manifest":"e30=","ownerSignatures":[],"more":1}""");
        await AssertRefusedAsync(400, "BadRequest", """{"manifest":"e30=","manifest":"e30=","ownerSignatures":[]}""");
        await AssertRefusedAsync(400, "BadRequest", """{"manifest":"e30=","ownerSignatures":[]} x""");
        await AssertRefusedAsync(400, "BadRequest", new string('[', 100_000));
        await AssertRefusedAsync(400, "ManifestRefused", """{"manifest":"e30=","ownerSignatures":[]}""");
        await AssertRefusedAsync(415, "WrongContentType", TestManifest.Request(_manifest.Text), "text/plain");
        await AssertRefusedAsync(413, "TooLarge", new string(' ', 7 << 20));

        async Task AssertRefusedAsync(int expected, string error, string body, string contentType = "application/json")
        {
            (int code, JsonElement answer) = await _coordinator.PostAsync("/api/v3/manifest", body, contentType: contentType);
            Assert.Equal((expected, error), (code, answer.GetProperty("code").GetString()));
        }
    }

    [Fact]
    public async Task A_huge_body_of_unknown_length_is_cut_off()
    {
        using HttpClient client = _coordinator.Client();
        foreach (Version version in new[] { HttpVersion.Version11, HttpVersion.Version20 })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v3/manifest")
            {
                Version = version,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = new EndlessContent(9 << 20),
            };
            try
            {
                (int code, JsonElement answer) = await TestCoordinator.ReadAsync(await client.SendAsync(request));
                Assert.Equal((413, "TooLarge"), (code, answer.GetProperty("code").GetString()));
            }
            catch (HttpRequestException) when (version == HttpVersion.Version11)
            {
                // HTTP/1.1 has no way to end an upload but to end the connection; whether the answer is read before that is a race.
            }
        }
        Assert.Equal(200, (await _coordinator.GetAsync("/api/v3/status")).Code);
    }

    [Fact]
    public async Task A_signature_of_a_configured_owner_is_demanded()
    {
        using ECDsa owner = ECDsa.Create(ECCurve.NamedCurves.nistP384), stranger = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync(options => options with { OwnerKeys = [owner.ExportSubjectPublicKeyInfo()] });
        string text = new TestManifest(coordinator.HostKey).Text;
        await AssertRefusedAsync("OwnerSignatureRequired");
        await AssertRefusedAsync("OwnerSignatureRequired", (stranger, text));
        await AssertRefusedAsync("OwnerSignatureInvalid", (owner, text + " "));
        await AssertRefusedAsync("OwnerSignatureInvalid", (owner, text), (stranger, text + " "));
        string v2 = JsonSerializer.Serialize(new { manifest = Encoding.UTF8.GetBytes(text) });
        (int code, JsonElement answer) = await coordinator.PostAsync("/api/v2/manifest", v2);
        Assert.Equal(500, code);
        Assert.Contains("/api/v3/manifest", answer.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(400, (await coordinator.PostAsync("/manifest", text)).Code);
        Assert.Equal(2, (int)coordinator.Host.State.Current.State);

        Assert.Equal(200, (await coordinator.SetManifestAsync(text, (stranger, text), (owner, text))).Code);
        await coordinator.RestartAsync();
        JsonElement read = (await coordinator.GetAsync("/api/v3/manifest")).Json.GetProperty("data").GetProperty("ownerSignatures");
        Assert.Equal(owner.ExportSubjectPublicKeyInfo(), read[1].GetProperty("publicKey").GetBytesFromBase64());

        async Task AssertRefusedAsync(string error, params (ECDsa Key, string Over)[] owners)
        {
            (int code, JsonElement answer) = await coordinator.SetManifestAsync(text, owners);
            Assert.Equal((403, error), (code, answer.GetProperty("code").GetString()));
        }
    }

    [Fact]
    public async Task Everything_is_the_same_after_a_restart()
    {
        await _coordinator.SetManifestAsync(_manifest.Text);
        var before = _coordinator.Host.State.Current;
        await _coordinator.RestartAsync();
        var after = _coordinator.Host.State.Current;
        Assert.Equal((before.Version, before.State, before.Manifest!.Fingerprint), (after.Version, after.State, after.Manifest!.Fingerprint));
        Assert.Equal(before.Manifest.RootSignature.ToArray(), after.Manifest.RootSignature.ToArray());
        Assert.Equal(before.RootSecret.ToArray(), after.RootSecret.ToArray());
        Assert.Equal(before.UpdateLog, after.UpdateLog);
        Assert.Equal(before.Secrets.Select(secret => (secret.Key, Convert.ToHexString(secret.Value.Private.Span))), after.Secrets.Select(secret => (secret.Key, Convert.ToHexString(secret.Value.Private.Span))));
        Assert.Equal(before.Authority.Root.RawData, after.Authority.Root.RawData);
        Assert.Equal(before.Authority.Intermediate.RawData, after.Authority.Intermediate.RawData);
        Assert.Equal(before.Authority.MarbleRoot.RawData, after.Authority.MarbleRoot.RawData);
        using ECDsa key = after.Authority.MarbleRoot.PublicKey.GetECDsaPublicKey()!, root = after.Authority.Root.PublicKey.GetECDsaPublicKey()!;
        using ECDsa signer = after.Authority.Intermediate.PublicKey.GetECDsaPublicKey()!;
        Assert.Equal(signer.ExportSubjectPublicKeyInfo(), key.ExportSubjectPublicKeyInfo());
        Assert.True(root.VerifyData(after.Manifest.Bytes.Span, after.Manifest.RootSignature.Span, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
    }

    [Fact]
    public async Task A_state_without_its_key_is_not_replaced()
    {
        await _coordinator.SetManifestAsync(_manifest.Text);
        byte[] data = File.ReadAllBytes(Path.Combine(_coordinator.SealFolder, "sealed_data"));
        File.Delete(Path.Combine(_coordinator.SealFolder, "sealed_key"));
        await _coordinator.RestartAsync();
        Assert.Equal((int)CoordinatorState.Recovery, (await _coordinator.GetAsync("/api/v3/status")).Json.GetProperty("data").GetProperty("code").GetInt32());
        (int code, JsonElement answer) = await _coordinator.SetManifestAsync(_manifest.Text);
        Assert.Equal((409, "WrongState"), (code, answer.GetProperty("code").GetString()));
        using var workload = new TestWorkload(_coordinator);
        Assert.Equal(Protocol.Grpc.GrpcStatus.FailedPrecondition, (await Assert.ThrowsAsync<Protocol.Grpc.GrpcException>(() => workload.ChallengeAsync())).Status);
        Assert.Equal(data, File.ReadAllBytes(Path.Combine(_coordinator.SealFolder, "sealed_data")));
        Assert.False(File.Exists(Path.Combine(_coordinator.SealFolder, "sealed_key")));
    }

    private sealed class EndlessContent(int bytes) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            byte[] piece = new byte[1 << 16];
            for (int sent = 0; sent < bytes; sent += piece.Length)
                await stream.WriteAsync(piece);
        }

        protected override bool TryComputeLength(out long length)
        {
            Headers.ContentType = new("application/json");
            length = 0;
            return false;
        }
    }
}
