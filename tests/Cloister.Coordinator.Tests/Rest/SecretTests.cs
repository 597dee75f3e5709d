using System.Security.Cryptography;
using System.Text.Json;
using Cloister.Coordinator.Tests.Hosting;

namespace Cloister.Coordinator.Tests.Rest;

public sealed class SecretTests : IAsyncLifetime
{
    private static readonly byte[] ModelKey = RandomNumberGenerator.GetBytes(32);

    private TestCoordinator _coordinator = null!;
    private TestManifest _manifest = null!;
    private string _fingerprint = "";

    public async Task InitializeAsync()
    {
        _coordinator = await TestCoordinator.StartAsync();
        _manifest = new TestManifest(_coordinator.HostKey);
        string text = _manifest.Text;
        _fingerprint = TestManifest.Fingerprint(text);
        Assert.Equal(200, (await _coordinator.SetManifestAsync(text)).Code);
    }

    public async Task DisposeAsync() => await _coordinator.DisposeAsync();

    [Fact]
    public async Task A_user_with_the_role_writes_and_another_reads()
    {
        Assert.Equal(200, (await UploadAsync(("model-key", ModelKey), ("note", "x"u8.ToArray()))).Code);
        JsonElement read = (await _coordinator.GetAsync("/api/v3/secrets?s=model-key&s=shared", _manifest.Reader)).Json.GetProperty("data").GetProperty("secrets");
        Assert.Equal(ModelKey, read.GetProperty("model-key").GetProperty("Private").GetBytesFromBase64());
        Assert.Equal(256, read.GetProperty("model-key").GetProperty("Size").GetInt32());
        Assert.Equal(16, read.GetProperty("shared").GetProperty("Public").GetBytesFromBase64().Length);
        await _coordinator.RestartAsync();
        read = (await _coordinator.GetAsync("/api/v3/secrets?s=model-key", _manifest.Reader)).Json.GetProperty("data").GetProperty("secrets");
        Assert.Equal(ModelKey, read.GetProperty("model-key").GetProperty("Private").GetBytesFromBase64());
    }

    [Fact]
    public async Task A_secret_that_is_not_set_reads_as_null()
    {
        JsonElement read = (await _coordinator.GetAsync("/api/v3/secrets?s=model-key", _manifest.Reader)).Json.GetProperty("data").GetProperty("secrets");
        Assert.Equal(JsonValueKind.Null, read.GetProperty("model-key").GetProperty("Private").ValueKind);
    }

    [Fact]
    public async Task A_key_for_another_manifest_is_refused_and_not_stored()
    {
        (int code, JsonElement answer) = await _coordinator.PostAsync("/api/v3/secrets", TestManifest.Upload(new string('0', 64), ("model-key", ModelKey)), _manifest.Owner);
        Assert.Equal((409, "OtherManifest"), (code, answer.GetProperty("code").GetString()));
        Assert.DoesNotContain("model-key", _coordinator.Host.State.Current.Secrets.Keys);
    }

    [Fact]
    public async Task Without_the_role_or_a_known_certificate_nothing_is_written_or_read()
    {
        string upload = TestManifest.Upload(_fingerprint, ("model-key", ModelKey));
        Assert.Equal("NotAuthenticated", Error(401, await _coordinator.PostAsync("/api/v3/secrets", upload)));
        Assert.Equal("NotAuthenticated", Error(401, await _coordinator.PostAsync("/api/v3/secrets", upload, TestManifest.Certificate("owner"))));
        Assert.Equal("NotPermitted", Error(403, await _coordinator.PostAsync("/api/v3/secrets", upload, _manifest.Reader)));
        Assert.Equal("NotPermitted", Error(403, await UploadAsync(("shared", new byte[16]))));
        Assert.Equal("NotPermitted", Error(403, await UploadAsync(("no-such", new byte[16]))));
        Assert.Equal("NotAuthenticated", Error(401, await _coordinator.GetAsync("/api/v3/secrets?s=shared")));
        Assert.Equal("NotPermitted", Error(403, await _coordinator.GetAsync("/api/v3/secrets?s=own", _manifest.Owner)));
        Assert.Equal("BadRequest", Error(400, await _coordinator.GetAsync("/api/v3/secrets", _manifest.Owner)));
        Assert.Equal("BadRequest", Error(400, await _coordinator.GetAsync("/api/v3/secrets?s=", _manifest.Owner)));
        Assert.Single(_coordinator.Host.State.Current.Secrets);
    }

    [Fact]
    public async Task All_secrets_of_an_upload_are_set_or_none()
    {
        Assert.Equal("SecretRefused", Error(400, await UploadAsync(("note", "x"u8.ToArray()), ("model-key", new byte[31]))));
        Assert.Equal("SecretRefused", Error(400, await UploadAsync(("model-key", ModelKey), ("note", []))));
        Assert.Equal("SecretRefused", Error(400, await UploadAsync(("note", new byte[(1 << 20) + 1]))));
        Assert.Equal("SecretRefused", Error(400, await _coordinator.PostAsync("/api/v3/secrets",
            $$$$"""{"manifestFingerprint":"{{{{_fingerprint}}}}","secrets":{"note":{"Cert":"AA==","Private":"AA=="}}}""", _manifest.Owner)));
        Assert.Equal("BadRequest", Error(400, await UploadAsync()));
        Assert.Equal("BadRequest", Error(400, await _coordinator.PostAsync("/api/v3/secrets", TestManifest.Upload("nonsense", ("note", [1])), _manifest.Owner)));
        Assert.Equal("BadRequest", Error(400, await _coordinator.PostAsync("/api/v3/secrets", """{"secrets":{}}""", _manifest.Owner)));
        Assert.Single(_coordinator.Host.State.Current.Secrets);
    }

    [Fact]
    public async Task Malformed_uploads_are_refused_without_repeating_them()
    {
        (int code, JsonElement answer) = await _coordinator.PostAsync("/api/v3/secrets",
            $$$$"""{"manifestFingerprint":"{{{{_fingerprint}}}}","secrets":{"model-key":{"Key":"SECRETSECRET!"}}}""", _manifest.Owner);
        Assert.Equal(400, code);
        Assert.DoesNotContain("SECRETSECRET", answer.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changes_are_in_the_update_log_without_values()
    {
        await UploadAsync(("model-key", ModelKey));
        JsonElement log = (await _coordinator.GetAsync("/api/v3/update")).Json.GetProperty("data").GetProperty("updateLog");
        Assert.Equal(2, log.GetArrayLength());
        JsonElement set = JsonDocument.Parse(log[0].GetString()!).RootElement, secret = JsonDocument.Parse(log[1].GetString()!).RootElement;
        Assert.Equal(("Initial manifest set", _fingerprint), (set.GetProperty("update").GetString(), set.GetProperty("manifestFingerprint").GetString()));
        Assert.Equal(("Secret set", "owner", "model-key"), (secret.GetProperty("update").GetString(), secret.GetProperty("user").GetString(), secret.GetProperty("secret").GetString()));
        Assert.Equal(_coordinator.Clock.GetUtcNow(), secret.GetProperty("time").GetDateTimeOffset());
        Assert.DoesNotContain(Convert.ToBase64String(ModelKey), log.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_secret_is_readable_on_disk()
    {
        await UploadAsync(("model-key", ModelKey), ("note", "a note that must stay secret"u8.ToArray()));
        var current = _coordinator.Host.State.Current;
        using ECDsa root = System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions.GetECDsaPrivateKey(current.Authority.Root)!;
        byte[][] secrets = [ModelKey, "a note that must stay secret"u8.ToArray(), current.RootSecret.ToArray(), root.ExportParameters(true).D!];
        foreach (string path in Directory.EnumerateFiles(_coordinator.SealFolder).Where(path => !path.EndsWith(".lock", StringComparison.Ordinal)))
        {
            byte[] file = File.ReadAllBytes(path);
            Assert.All(secrets, secret => Assert.True(file.AsSpan().IndexOf(secret) < 0, path));
        }
    }

    private Task<(int Code, JsonElement Json)> UploadAsync(params (string Name, byte[] Key)[] secrets) =>
        _coordinator.PostAsync("/api/v3/secrets", TestManifest.Upload(_fingerprint, secrets), _manifest.Owner);

    private static string Error(int expected, (int Code, JsonElement Json) answer)
    {
        Assert.Equal(expected, answer.Code);
        return answer.Json.GetProperty("code").GetString()!;
    }
}
