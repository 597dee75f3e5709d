using System.Collections.Immutable;
using Cloister.Coordinator.Secrets;
using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;

namespace Cloister.Coordinator.Tests.Secrets;

/// <summary>Refusals of uploads in the words that MarbleRun 1.9.1 was seen to use.</summary>
public sealed class SecretIntakeTests
{
    private static readonly SecretMaterial s_certificate = SecretCertificateTests.Make("cert-ed25519", 0), s_other = SecretCertificateTests.Make("cert-ed25519", 0);

    private static readonly ManifestDocument s_manifest = CertificateManifest.Read(
        """
        { "user": { "Type": "symmetric-key", "Size": 128, "UserDefined": true }, "certUser": { "Type": "cert-ed25519", "UserDefined": true },
          "anchor": { "Type": "cert-ed25519", "UserDefined": true }, "plain": { "Type": "plain", "UserDefined": true }, "shared": { "Type": "symmetric-key", "Size": 128, "Shared": true } }
        """,
        """{ "Files": { "/tmp/u": "{{ pem .Secrets.certUser.Private }}{{ pem .Secrets.anchor.Cert }}" }, "Env": { "P": "{{ string .Secrets.plain }}" } }""");

    [Fact]
    public void What_fits_is_kept()
    {
        var read = SecretIntake.Read(s_manifest, Values(
            ("user", new(Key: new byte[16])), ("plain", new(Key: "hello"u8.ToArray())), ("certUser", Pair(s_certificate)), ("anchor", new(Cert: s_certificate.Certificate.ToArray()))));
        Assert.Equal(["anchor", "certUser", "plain", "user"], read.Keys);
        Assert.Equal(s_certificate, read["certUser"]);
        Assert.Equal("hello"u8.ToArray(), read["plain"].Public.ToArray());
    }

    [Fact]
    public void Refusals_have_marbleruns_words()
    {
        AssertRefused("parsing new secrets: no new secrets defined");
        AssertRefused("parsing new secrets: declared size and actual size don't match: user", ("user", new(Key: new byte[17])));
        AssertRefused("parsing new secrets: declared size and actual size don't match: user", ("user", new()));
        AssertRefused("parsing new secrets: declared size and actual size don't match: user", ("user", null!));
        AssertRefused("parsing new secrets: secret user is set to be of type symmetric-key but specified values for a certificate", ("user", new(new byte[16], new byte[1])));
        AssertRefused("parsing new secrets: secret shared is not writeable", ("shared", new(Key: new byte[16])), ("user", new(Key: new byte[16])));
        AssertRefused("parsing new secrets: secret manifest specifies a secret which the original manifest does not contain", ("nope", new(Key: new byte[16])));
        AssertRefused("parsing new secrets: x509: unsupported public key type: <nil>", ("certUser", new(Private: s_certificate.Private.ToArray())));
        AssertRefused("parsing new secrets: secret certUser is set to be of type cert-ed25519 but specified values for a symmetric-key", ("certUser", new(Key: new byte[16])));
        AssertRefused("x509: malformed certificate", ("certUser", new(Cert: new byte[3])));
    }

    [Fact]
    public void What_templates_cannot_take_is_refused()
    {
        AssertRefused("""running manifest template dry run: in Marble m: file /tmp/u: template: data:1:3: executing "data" at <pem .Secrets.certUser.Private>: error calling pem: tried to parse secret with empty value""",
            ("certUser", new(Cert: s_certificate.Certificate.ToArray())));
        AssertRefused("""running manifest template dry run: in Marble m: env variable P: template: data:1:3: executing "data" at <string .Secrets.plain>: error calling string: secret contains null bytes""",
            ("plain", new(Key: "he\0llo"u8.ToArray())));
    }

    [Fact]
    public void Beyond_marblerun_a_key_has_to_be_its_certificates()
    {
        AssertRefused("parsing new secrets: secret certUser: Private is not the key of its certificate", ("certUser", new(Cert: s_certificate.Certificate.ToArray(), Private: s_other.Private.ToArray())));
        AssertRefused("parsing new secrets: secret plain has 0 bytes; 1 to 1048576 are allowed", ("plain", new(Key: [])));
    }

    private static void AssertRefused(string message, params (string Name, SecretValue Value)[] secrets) =>
        Assert.Equal(message, Assert.Throws<CoordinatorException>(() => SecretIntake.Read(s_manifest, Values(secrets))).Message);

    private static SecretValue Pair(SecretMaterial material) => new(Cert: material.Certificate.ToArray(), Private: material.Private.ToArray());

    private static ImmutableDictionary<string, SecretValue> Values(params (string Name, SecretValue Value)[] secrets) => secrets.ToImmutableDictionary(secret => secret.Name, secret => secret.Value);
}
