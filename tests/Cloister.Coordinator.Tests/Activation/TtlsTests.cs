using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Cloister.Coordinator.Activation;
using Cloister.Coordinator.Authority;
using Cloister.Coordinator.State;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Rest;
using Cloister.Protocol.Templates;
using Google.Protobuf;

namespace Cloister.Coordinator.Tests.Activation;

/// <summary>The environment of MarbleRun's transparent TLS.</summary>
public sealed class TtlsTests
{
    private const string Manifest = """
        {
          "Packages": { "p": { "UniqueID": "77" } },
          "Marbles": {
            "m": { "Package": "p", "TLS": ["web", "db"], "Parameters": { "Env": { "MARBLE_TTLS_CONFIG": "overwritten" } } },
            "empty": { "Package": "p", "TLS": ["none"] },
            "without": { "Package": "p" },
            "wrong": { "Package": "p", "TLS": ["key"] }
          },
          "Secrets": { "cert": { "Type": "cert-ecdsa", "Size": 256, "UserDefined": true }, "key": { "Type": "symmetric-key", "Size": 128, "Shared": true } },
          "TLS": {
            "web": { "Incoming": [ { "Port": "8443", "Cert": "cert", "DisableClientAuth": true }, { "Port": "443" } ] },
            "db": { "Incoming": [ { "Port": "80" } ], "Outgoing": [ { "Port": "3306", "Addr": "db.example+1" }, { "Port": "1", "Addr": "a" } ] },
            "none": {},
            "key": { "Incoming": [ { "Port": "1", "Cert": "key", "DisableClientAuth": true } ] }
          }
        }
        """;

    [Fact]
    public void Every_connection_has_its_certificates_in_MarbleRuns_form()
    {
        (CoordinatorSnapshot snapshot, TemplateData data, TemplateSecretValue own, TemplateSecretValue named) = Prepare();
        string text = TtlsEnvironment.Build(snapshot, snapshot.Manifest!.Plans["m"], data)!.ToStringUtf8();
        JsonElement tls = JsonDocument.Parse(text).RootElement.GetProperty("tls");
        // Go writes a map's members in order.
        Assert.Equal(["Incoming", "Outgoing"], tls.EnumerateObject().Select(member => member.Name));
        Assert.Equal(["*:443", "*:80", "*:8443"], tls.GetProperty("Incoming").EnumerateObject().Select(member => member.Name));
        Assert.Equal(["a:1", "db.example+1:3306"], tls.GetProperty("Outgoing").EnumerateObject().Select(member => member.Name));
        AssertConnection(tls.GetProperty("Incoming").GetProperty("*:443"), own, true);
        AssertConnection(tls.GetProperty("Incoming").GetProperty("*:80"), own, true);
        AssertConnection(tls.GetProperty("Incoming").GetProperty("*:8443"), named, false);
        AssertConnection(tls.GetProperty("Outgoing").GetProperty("db.example+1:3306"), own, null);
        // As Go writes it, but for the order: nothing beyond quotes and line feeds is escaped.
        Assert.DoesNotContain("\\u", text, StringComparison.Ordinal);
        Assert.Equal("""{"tls":{"Incoming":{},"Outgoing":{}}}""", TtlsEnvironment.Build(snapshot, snapshot.Manifest.Plans["empty"], data)!.ToStringUtf8());
        Assert.Null(TtlsEnvironment.Build(snapshot, snapshot.Manifest.Plans["without"], data));

        void AssertConnection(JsonElement connection, TemplateSecretValue certificate, bool? clientAuthentication)
        {
            string[] members = clientAuthentication is null ? ["cacrt", "clicrt", "clikey"] : ["cacrt", "clicrt", "clientAuth", "clikey"];
            Assert.Equal(members, connection.EnumerateObject().Select(member => member.Name));
            Assert.Equal(Pem("CERTIFICATE", snapshot.Authority.MarbleRoot.RawData), connection.GetProperty("cacrt").GetString());
            Assert.Equal(Pem("CERTIFICATE", certificate.Certificate.Span), connection.GetProperty("clicrt").GetString());
            Assert.Equal(Pem("PRIVATE KEY", certificate.Private.Span), connection.GetProperty("clikey").GetString());
            if (clientAuthentication is { } expected)
                Assert.Equal(expected, connection.GetProperty("clientAuth").GetBoolean());
        }
    }

    [Fact]
    public void A_named_secret_is_a_certificate_and_is_set()
    {
        (CoordinatorSnapshot snapshot, TemplateData data, _, _) = Prepare();
        Assert.Contains("cert", snapshot.Manifest!.Plans["m"].Secrets);
        TemplateData unset = data with { Secrets = new TemplateSecrets([KeyValuePair.Create("cert", TemplateSecret.Unset("cert-ecdsa")), KeyValuePair.Create("key", TemplateSecret.OfKey("symmetric-key", new byte[16]))]) };
        Assert.Equal(CoordinatorError.AwaitingSecrets, Assert.Throws<CoordinatorException>(() => TtlsEnvironment.Build(snapshot, snapshot.Manifest.Plans["m"], unset)).Error);
        Assert.Equal(CoordinatorError.ParametersRefused, Assert.Throws<CoordinatorException>(() => TtlsEnvironment.Build(snapshot, snapshot.Manifest.Plans["wrong"], unset)).Error);
    }

    [Fact]
    public async Task It_is_part_of_an_activation_and_replaces_what_the_manifest_says()
    {
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync(options => options with { Simulation = true });
        string manifest = Manifest.Replace("\"Size\": 256, \"UserDefined\": true", "\"Size\": 256", StringComparison.Ordinal);
        (int code, JsonElement set) = await coordinator.PostAsync("/api/v2/manifest", JsonSerializer.Serialize(new { manifest = Encoding.UTF8.GetBytes(manifest) }));
        Assert.True(code == 200, set.ToString());
        using var marble = new TestWorkload(coordinator, "m");
        var env = (await marble.SendAsync(new ActivationReq { CSR = ByteString.CopyFrom(marble.Csr), MarbleType = "m", UUID = marble.Uuid })).Parameters.Env;
        JsonElement incoming = JsonDocument.Parse(env["MARBLE_TTLS_CONFIG"].Memory).RootElement.GetProperty("tls").GetProperty("Incoming").GetProperty("*:443");
        Assert.Equal(env["MARBLE_PREDEFINED_PRIVATE_KEY"].ToStringUtf8(), incoming.GetProperty("clikey").GetString());
        Assert.Equal(env["MARBLE_PREDEFINED_ROOT_CA"].ToStringUtf8(), incoming.GetProperty("cacrt").GetString());
        // A certificate that the manifest defines for this marble alone is made because its tag names it.
        JsonElement named = JsonDocument.Parse(env["MARBLE_TTLS_CONFIG"].Memory).RootElement.GetProperty("tls").GetProperty("Incoming").GetProperty("*:8443");
        using X509Certificate2 made = X509Certificate2.CreateFromPem(named.GetProperty("clicrt").GetString(), named.GetProperty("clikey").GetString());
        Assert.Equal("CN=localhost", made.Subject);
        Assert.StartsWith(incoming.GetProperty("clicrt").GetString()!, env["MARBLE_PREDEFINED_MARBLE_CERTIFICATE_CHAIN"].ToStringUtf8(), StringComparison.Ordinal);
    }

    private static (CoordinatorSnapshot Snapshot, TemplateData Data, TemplateSecretValue Own, TemplateSecretValue Named) Prepare()
    {
        byte[] bytes = Encoding.UTF8.GetBytes(Manifest);
        ManifestOutcome outcome = ManifestReader.Read(bytes, ManifestDialect.MarbleRun);
        Assert.Empty(outcome.Problems);
        var snapshot = new CoordinatorSnapshot
        {
            State = CoordinatorState.AcceptingMarbles,
            Authority = CertificateAuthority.Create(["localhost"], new TestClock().GetUtcNow()),
            RootSecret = new byte[32],
            Manifest = new ManifestInForce(bytes, outcome.Fingerprint, ManifestDialect.MarbleRun, outcome.Document, [], default),
        };
        TemplateSecretValue own = Made(), named = Made();
        TemplateData data = GrantedParameters.Data(snapshot) with
        {
            MarbleCertificate = new TemplateSecret("", own.Certificate, own.Public, own.Private),
            Secrets = new TemplateSecrets([KeyValuePair.Create("cert", new TemplateSecret("cert-ecdsa", named.Certificate, named.Public, named.Private))]),
        };
        return (snapshot, data, own, named);
    }

    private static TemplateSecretValue Made()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = TestWorkload.SelfSigned(key);
        return new TemplateSecretValue(certificate.RawData, key.ExportSubjectPublicKeyInfo(), key.ExportPkcs8PrivateKey());
    }

    private static string Pem(string label, ReadOnlySpan<byte> der) => PemEncoding.WriteString(label, der) + "\n";
}
