using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Client.MarbleRun;
using Cloister.Protocol.Rest;
using Cloister.Tests.Mesh;

namespace Cloister.Client.Tests.MarbleRun;

/// <summary>MarbleRun's wire in both versions, over real TLS.</summary>
public sealed class MarbleRunClientTests
{
    private static readonly byte[] s_manifest = Encoding.UTF8.GetBytes("""{"Packages":{}}""");

    private static string Base64(byte[] bytes) => Convert.ToBase64String(bytes);

    [Fact]
    public async Task Version_2_is_spoken_first_with_its_shapes()
    {
        await using StandInCoordinator server = await StandInCoordinator.StartAsync();
        server.Succeeds("GET /api/v2/status", new JsonObject { ["code"] = 3, ["message"] = "Coordinator is running correctly and ready to accept marbles." });
        server.Succeeds("GET /api/v2/manifest", new JsonObject { ["manifest"] = Base64(s_manifest), ["manifestFingerprint"] = "ab", ["manifestSignatureRootECDSA"] = "AQI=" });
        server.Succeeds("POST /api/v2/manifest", new JsonObject { ["RecoverySecrets"] = new JsonObject { ["alice"] = "AQID" } });
        server.Succeeds("GET /api/v2/update", new JsonObject { ["updateLog"] = new JsonArray("{\"a\":1}", "{\"b\":2}") });
        server.Succeeds("POST /api/v2/recover", new JsonObject { ["remaining"] = 1, ["message"] = "more" });
        using var client = new MarbleRunClient(server.Address, server.RootKey);
        Assert.Equal(new MarbleRunStatus(3, "Coordinator is running correctly and ready to accept marbles."), await client.GetStatusAsync());
        MarbleRunManifest manifest = await client.GetManifestAsync();
        Assert.Equal(s_manifest, manifest.Manifest.ToArray());
        Assert.Equal(("ab", 2), (manifest.Fingerprint, manifest.Signature.Length));
        Assert.Equal([1, 2, 3], (await client.SetManifestAsync(s_manifest))["alice"]);
        Assert.Equal(Base64(s_manifest), (string)JsonNode.Parse(server.Requests[^1].Body)!["manifest"]!);
        Assert.Equal<string>(["{\"a\":1}", "{\"b\":2}"], await client.GetUpdateLogAsync());
        Assert.Equal(new MarbleRunRecovery(1, "more"), await client.RecoverAsync(new byte[] { 1 }, new byte[] { 2, 3 }));
        Assert.Equal("""{"recoverySecret":"AQ==","recoverySecretSignature":"AgM="}""", server.Requests[^1].Body);
    }

    [Fact]
    public async Task Version_1_is_spoken_where_version_2_answers_405()
    {
        await using StandInCoordinator server = await StandInCoordinator.StartAsync();
        server.Succeeds("GET /status", new JsonObject { ["StatusCode"] = 2, ["StatusMessage"] = "waiting" });
        server.Fails("GET /api/v2/quote", 405, "");
        server.Succeeds("GET /quote", new JsonObject { ["Cert"] = server.Chain, ["Quote"] = null });
        server.Succeeds("GET /manifest", new JsonObject { ["ManifestSignature"] = "ab", ["ManifestSignatureRootECDSA"] = "AQ==", ["Manifest"] = Base64(s_manifest) });
        server.Succeeds("POST /manifest", null);
        server.Succeeds("GET /update", "{\"a\":1}\n{\"b\":2}\n");
        server.Succeeds("POST /update", null);
        server.Succeeds("GET /update-manifest", new JsonObject { ["manifest"] = Base64(s_manifest), ["missingUsers"] = new JsonArray("bob") });
        server.Succeeds("POST /update-manifest", "2 users still need to acknowledge the update manifest");
        server.Succeeds("POST /update-cancel", null);
        server.Succeeds("GET /secrets", new JsonObject { ["key"] = new JsonObject { ["Type"] = "symmetric-key", ["Size"] = 128, ["Public"] = "AQI=", ["Private"] = "AQI=", ["Cert"] = "" } });
        server.Succeeds("POST /secrets", null);
        using var client = new MarbleRunClient(server.Address, server.RootKey);
        Assert.Equal(new MarbleRunStatus(2, "waiting"), await client.GetStatusAsync());
        Assert.True((await client.GetQuoteAsync()).Quote.IsEmpty);
        Assert.Equal(405, (await Assert.ThrowsAsync<ClientException>(() => client.GetQuoteAsync(new byte[] { 1 }))).HttpStatus);
        Assert.Equal(s_manifest, (await client.GetManifestAsync()).Manifest.ToArray());
        Assert.Empty(await client.SetManifestAsync(s_manifest));
        Assert.Equal(Encoding.UTF8.GetString(s_manifest), server.Requests[^1].Body);
        Assert.Equal(2, (await client.GetUpdateLogAsync()).Length);
        Assert.Equal(0, (await client.ApplyUpdateAsync(s_manifest)).MissingAcknowledgments);
        Assert.Equal<string>(["bob"], (await client.GetPendingUpdateAsync()).MissingUsers);
        Assert.Equal(2, (await client.AcknowledgeUpdateAsync(s_manifest)).MissingAcknowledgments);
        server.Succeeds("POST /update-manifest", "All users have acknowledged the update manifest. Update successfully applied");
        Assert.Equal(0, (await client.AcknowledgeUpdateAsync(s_manifest)).MissingAcknowledgments);
        await client.CancelUpdateAsync();
        Assert.Equal([1, 2], (await client.GetSecretsAsync(["key"]))["key"].Private);
        await client.SetSecretsAsync(new Dictionary<string, SecretValue> { ["key"] = new(Key: [1]) });
        Assert.Equal("""{"key":{"Key":"AQ=="}}""", server.Requests[^1].Body);
    }

    [Fact]
    public async Task Updates_say_who_is_missing_and_carry_the_users_certificate()
    {
        await using StandInCoordinator server = await StandInCoordinator.StartAsync();
        server.Succeeds("POST /api/v2/update", new JsonObject { ["missingAcknowledgments"] = 1, ["missingUsers"] = new JsonArray("bob", "car\u0007ol") });
        server.Succeeds("POST /api/v2/update-manifest", new JsonObject { ["missingAcknowledgments"] = 0, ["missingUsers"] = null, ["recoverySecrets"] = new JsonObject { ["alice"] = "AQ==" } });
        server.Succeeds("POST /api/v2/update-cancel", new JsonObject { ["message"] = "cancelled" });
        using X509Certificate2 made = TestCertificate.Create("CN=admin"), user = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
        using var client = new MarbleRunClient(server.Address, server.RootKey, user);
        MarbleRunUpdate update = await client.ApplyUpdateAsync(s_manifest);
        Assert.Equal(1, update.MissingAcknowledgments);
        Assert.Equal<string>(["bob", "car ol"], update.MissingUsers);
        Assert.Empty(update.RecoverySecrets);
        Assert.Equal([1], (await client.AcknowledgeUpdateAsync(s_manifest)).RecoverySecrets["alice"]);
        await client.CancelUpdateAsync();
        Assert.All(server.Requests, request => Assert.Equal(user.PublicKey.ExportSubjectPublicKeyInfo(), request.ClientKey));
    }

    [Fact]
    public async Task Secrets_are_asked_for_by_name_and_uploaded_together()
    {
        await using StandInCoordinator server = await StandInCoordinator.StartAsync();
        server.Succeeds("GET /api/v2/secrets", new JsonObject { ["secrets"] = new JsonObject { ["a&b"] = new JsonObject { ["Type"] = "plain", ["Public"] = "AQ==", ["UserDefined"] = true } } });
        server.Succeeds("POST /api/v2/secrets", null);
        using var client = new MarbleRunClient(server.Address, server.RootKey);
        SecretReading read = (await client.GetSecretsAsync(["a&b", "c"]))["a&b"];
        Assert.Equal(("plain", true), (read.Type, read.UserDefined));
        Assert.Equal("GET /api/v2/secrets?s=a%26b&s=c", server.Requests[^1].Request);
        await client.SetSecretsAsync(new Dictionary<string, SecretValue> { ["c"] = new(Cert: [1], Private: [2]) });
        Assert.Equal("""{"secrets":{"c":{"Cert":"AQ==","Private":"Ag=="}}}""", server.Requests[^1].Body);
    }

    [Fact]
    public async Task Refusals_carry_status_and_reason_and_no_other_version_is_tried()
    {
        await using StandInCoordinator server = await StandInCoordinator.StartAsync();
        server.Fails("POST /api/v2/update", 401, "unauthorized user\n\u001b[31m");
        server.Fails("GET /api/v2/update-manifest", 404, "no update pending");
        server.Fails("POST /api/v2/manifest", 500, "manifest does not contain marble package x");
        using var client = new MarbleRunClient(server.Address, server.RootKey);
        ClientException refused = await Assert.ThrowsAsync<ClientException>(() => client.ApplyUpdateAsync(s_manifest));
        Assert.Equal((ClientError.RefusedByServer, 401), (refused.Error, refused.HttpStatus));
        Assert.DoesNotContain('\u001b', refused.Message);
        Assert.Equal(404, (await Assert.ThrowsAsync<ClientException>(() => client.GetPendingUpdateAsync())).HttpStatus);
        Assert.Contains("package x", (await Assert.ThrowsAsync<ClientException>(() => client.SetManifestAsync(s_manifest))).Message, StringComparison.Ordinal);
        Assert.Equal(3, server.Requests.Count);
    }

    [Fact]
    public async Task Another_TLS_key_than_the_known_one_hears_nothing()
    {
        await using StandInCoordinator server = await StandInCoordinator.StartAsync(), other = await StandInCoordinator.StartAsync();
        using var client = new MarbleRunClient(server.Address, other.RootKey);
        ClientException refused = await Assert.ThrowsAsync<ClientException>(() => client.SetSecretsAsync(new Dictionary<string, SecretValue> { ["c"] = new(Key: [1]) }));
        Assert.Equal(ClientError.PeerKeyChanged, refused.Error);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData("GET /api/v2/status", "{}")]
    [InlineData("GET /api/v2/status", "[]")]
    [InlineData("GET /api/v2/status", "\"text\"")]
    [InlineData("GET /api/v2/status", """{"code":"3"}""")]
    public async Task An_answer_that_is_not_the_document_is_refused(string request, string data)
    {
        await using StandInCoordinator server = await StandInCoordinator.StartAsync();
        server.Succeeds(request, JsonNode.Parse(data));
        using var client = new MarbleRunClient(server.Address, server.RootKey);
        Assert.Equal(ClientError.AnswerMalformed, (await Assert.ThrowsAsync<ClientException>(() => client.GetStatusAsync())).Error);
    }

    [Fact]
    public async Task A_recovery_key_must_be_one()
    {
        await using StandInCoordinator server = await StandInCoordinator.StartAsync();
        using var rsa = RSA.Create(2048);
        using var client = new MarbleRunClient(server.Address, server.RootKey);
        server.Succeeds("GET /api/v2/recover/public-key", new JsonObject { ["algorithm"] = "RSA", ["ephemeralPublicKey"] = Base64(rsa.ExportSubjectPublicKeyInfo()) });
        Assert.Equal(rsa.ExportSubjectPublicKeyInfo(), await client.GetRecoveryKeyAsync());
        server.Succeeds("GET /api/v2/recover/public-key", new JsonObject { ["ephemeralPublicKey"] = Base64(server.RootKey.ToArray()) });
        Assert.Equal(ClientError.AnswerMalformed, (await Assert.ThrowsAsync<ClientException>(() => client.GetRecoveryKeyAsync())).Error);
    }

    [Fact]
    public async Task Certificates_are_an_intermediate_and_the_root_that_signed_it()
    {
        await using StandInCoordinator one = await StandInCoordinator.StartAsync(), other = await StandInCoordinator.StartAsync();
        (byte[] intermediate, byte[] root) = CoordinatorCertificates.Read(one.Chain);
        Assert.Equal(one.Root.RawData, root);
        Assert.Equal(one.Intermediate.RawData, intermediate);
        Assert.Equal((intermediate, root), CoordinatorCertificates.Read(Encoding.ASCII.GetString(CoordinatorCertificates.ToPem(intermediate, root))), Pairs.Instance);
        foreach (string wrong in new[] { "", "x", one.Root.ExportCertificatePem(), one.Chain + other.Chain, one.Intermediate.ExportCertificatePem() + "\n" + other.Root.ExportCertificatePem() })
            Assert.Equal(ClientError.AnswerMalformed, Assert.Throws<ClientException>(() => CoordinatorCertificates.Read(wrong)).Error);
        CoordinatorCertificates.Fuzz(Encoding.ASCII.GetBytes(one.Chain));
        byte[] valid = Encoding.ASCII.GetBytes(one.Chain);
        var random = new Random(5);
        for (int i = 0; i < 300; i++)
        {
            byte[] changed = [.. valid];
            changed[random.Next(changed.Length)] = (byte)random.Next(256);
            CoordinatorCertificates.Fuzz(changed);
        }
    }

    private sealed class Pairs : IEqualityComparer<(byte[], byte[])>
    {
        public static Pairs Instance { get; } = new();

        public bool Equals((byte[], byte[]) x, (byte[], byte[]) y) => x.Item1.AsSpan().SequenceEqual(y.Item1) && x.Item2.AsSpan().SequenceEqual(y.Item2);

        public int GetHashCode((byte[], byte[]) obj) => obj.Item1.Length;
    }
}
