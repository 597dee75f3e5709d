using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Cloister.Coordinator.State;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Protocol.Marble;
using Google.Protobuf;

namespace Cloister.Coordinator.Tests.Secrets;

/// <summary>Certificates as secrets over the wire: set, read, uploaded, delivered.</summary>
public sealed class CertificateSecretsTests : IAsyncLifetime
{
    private readonly X509Certificate2 _user = TestManifest.Certificate("user");
    private TestCoordinator _coordinator = null!;

    public async Task InitializeAsync()
    {
        _coordinator = await TestCoordinator.StartAsync(options => options with { Simulation = true });
        string manifest = CertificateManifest.Text(
            """
            {
              "shared": { "Type": "cert-ecdsa", "Size": 256, "Shared": true, "ValidFor": 3, "Cert": { "Subject": { "Organization": ["Acme"] }, "DNSNames": ["a.example", "b.example"] } },
              "default": { "Type": "cert-ed25519", "Shared": true }, "own": { "Type": "cert-rsa", "Size": 1024 }, "unused": { "Type": "cert-rsa", "Size": 8192 },
              "uploaded": { "Type": "cert-ed25519", "UserDefined": true }
            }
            """,
            """
            { "Files": {
                "shared.pem": "{{ pem .Secrets.shared.Cert }}{{ pem .Secrets.shared.Private }}", "own.pem": "{{ pem .Secrets.own.Cert }}{{ pem .Secrets.own.Private }}",
                "own.key": "{{ raw .Secrets.own }}", "previous.pem": "{{ pem .Previous.Secrets.shared.Cert }}" } }
            """,
            $$"""{ "user": { "Certificate": {{JsonSerializer.Serialize(_user.ExportCertificatePem())}}, "Roles": ["r", "w"] } }""",
            """
            { "r": { "ResourceType": "Secrets", "ResourceNames": ["shared", "default", "uploaded"], "Actions": ["ReadSecret"] },
              "w": { "ResourceType": "Secrets", "ResourceNames": ["uploaded"], "Actions": ["WriteSecret"] } }
            """);
        (int code, JsonElement answer) = await _coordinator.PostAsync("/api/v2/manifest", JsonSerializer.Serialize(new { manifest = Encoding.UTF8.GetBytes(manifest) }));
        Assert.True(code == 200, answer.ToString());
    }

    public async Task DisposeAsync() => await _coordinator.DisposeAsync();

    [Fact]
    public async Task A_marble_gets_shared_and_own_certificates_with_their_keys()
    {
        IDictionary<string, ByteString> first = await ActivateAsync(), second = await ActivateAsync();
        using X509Certificate2 shared = Pair(first, "shared.pem"), own = Pair(first, "own.pem"), otherOwn = Pair(second, "own.pem");
        Assert.Equal(first["shared.pem"], second["shared.pem"]);
        Assert.Equal("CN=MarbleRun Generated Certificate, O=Acme", shared.Subject);
        Assert.True(shared.MatchesHostname("b.example"));
        Assert.NotEqual(own.PublicKey.ExportSubjectPublicKeyInfo(), otherOwn.PublicKey.ExportSubjectPublicKeyInfo());
        // A whole secret is its public key, and one certificate serves a whole activation.
        Assert.Equal(own.PublicKey.ExportSubjectPublicKeyInfo(), first["own.key"].ToByteArray());
        Assert.Equal(shared.ExportCertificatePem(), first["previous.pem"].ToStringUtf8().Trim());
    }

    [Theory]
    [InlineData("/api/v2/secrets"), InlineData("/secrets")]
    public async Task A_user_reads_what_marbleruns_client_expects(string path)
    {
        JsonElement shared = await ReadAsync("shared", path), standard = await ReadAsync("default", path), unset = await ReadAsync("uploaded", path);
        Assert.Equal(["Type", "Size", "Shared", "UserDefined", "Cert", "ValidFor", "Private", "Public"], shared.EnumerateObject().Select(member => member.Name));
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(shared.GetProperty("Cert").GetBytesFromBase64());
        Assert.Equal(certificate.PublicKey.ExportSubjectPublicKeyInfo(), shared.GetProperty("Public").GetBytesFromBase64());
        using ECDsa key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(shared.GetProperty("Private").GetBytesFromBase64(), out _);
        Assert.Equal(key.ExportSubjectPublicKeyInfo(), shared.GetProperty("Public").GetBytesFromBase64());
        Assert.Equal((3, 365), (shared.GetProperty("ValidFor").GetInt32(), standard.GetProperty("ValidFor").GetInt32()));
        Assert.All((string[])["Cert", "Private", "Public"], part => Assert.Equal(JsonValueKind.Null, unset.GetProperty(part).ValueKind));
    }

    [Theory]
    [InlineData(true), InlineData(false)]
    public async Task A_user_uploads_a_certificate_and_a_restart_keeps_it(bool withKey)
    {
        SecretMaterial mine = SecretCertificateTests.Make("cert-ed25519", 0);
        string body = JsonSerializer.Serialize(new { secrets = new { uploaded = new { Cert = mine.Certificate.ToArray(), Private = withKey ? mine.Private.ToArray() : null, Key = (byte[]?)null } } });
        (int code, JsonElement answer) = await _coordinator.PostAsync("/api/v2/secrets", body, _user);
        Assert.True(code == 200, answer.ToString());
        await _coordinator.RestartAsync();
        JsonElement read = await ReadAsync("uploaded");
        Assert.Equal(mine.Certificate.ToArray(), read.GetProperty("Cert").GetBytesFromBase64());
        Assert.Equal(mine.Public.ToArray(), read.GetProperty("Public").GetBytesFromBase64());
        Assert.Equal(withKey ? Convert.ToBase64String(mine.Private.Span) : null, read.GetProperty("Private").GetString());
    }

    [Fact]
    public async Task What_does_not_fit_the_secret_is_not_stored()
    {
        SecretMaterial rsa = SecretCertificateTests.Make("cert-rsa", 1024), mine = SecretCertificateTests.Make("cert-ed25519", 0), other = SecretCertificateTests.Make("cert-ed25519", 0);
        foreach (object value in (object[])[
            new { Cert = new byte[3] }, new { Key = new byte[32] }, new { Private = mine.Private.ToArray() }, new { Cert = mine.Certificate.ToArray(), Key = new byte[32] },
            new { Cert = rsa.Certificate.ToArray(), Private = rsa.Private.ToArray() }, new { Cert = mine.Certificate.ToArray(), Private = other.Private.ToArray() }])
        {
            (int code, JsonElement answer) = await _coordinator.PostAsync("/api/v2/secrets", JsonSerializer.Serialize(new { secrets = new { uploaded = value } }), _user);
            Assert.Contains(code, (int[])[400, 500]);
            Assert.DoesNotContain(Convert.ToBase64String(mine.Private.Span), answer.ToString(), StringComparison.Ordinal);
        }
        Assert.DoesNotContain("uploaded", _coordinator.Host.State.Current.Secrets.Keys);
    }

    private async Task<JsonElement> ReadAsync(string name, string path = "/api/v2/secrets")
    {
        (int code, JsonElement answer) = await _coordinator.GetAsync($"{path}?s={name}", _user);
        Assert.True(code == 200, answer.ToString());
        JsonElement data = answer.GetProperty("data");
        return (path == "/secrets" ? data : data.GetProperty("secrets")).GetProperty(name);
    }

    private async Task<IDictionary<string, ByteString>> ActivateAsync()
    {
        using var marble = new TestWorkload(_coordinator, "m");
        return (await marble.SendAsync(new ActivationReq { CSR = ByteString.CopyFrom(marble.Csr), MarbleType = "m", UUID = marble.Uuid })).Parameters.Files;
    }

    private static X509Certificate2 Pair(IDictionary<string, ByteString> files, string name)
    {
        string pem = files[name].ToStringUtf8();
        return X509Certificate2.CreateFromPem(pem, pem);
    }
}
