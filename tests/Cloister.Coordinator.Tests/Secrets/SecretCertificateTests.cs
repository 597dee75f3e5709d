using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Cloister.Coordinator.Authority;
using Cloister.Coordinator.Secrets;
using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;
using Cloister.Tests;

namespace Cloister.Coordinator.Tests.Secrets;

public sealed class SecretCertificateTests
{
    private static readonly DateTimeOffset s_now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly CertificateAuthority s_authority = CertificateAuthority.Create(["localhost"], s_now);

    public static TheoryData<string, int> Kinds() => new()
    {
        { "cert-rsa", 1024 }, { "cert-rsa", 2048 }, { "cert-ecdsa", 224 }, { "cert-ecdsa", 256 }, { "cert-ecdsa", 384 }, { "cert-ecdsa", 521 }, { "cert-ed25519", 0 },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_certificate_chains_to_the_root_and_has_its_key(string type, int size)
    {
        SecretMaterial made = Make(type, size);
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(made.Certificate.Span);
        Assert.Equal(made.Public.ToArray(), certificate.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.Equal(("CN=localhost", s_now.UtcDateTime, s_now.AddDays(365).UtcDateTime),
            (certificate.Subject, certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime()));
        Assert.Equal(made, UploadedCertificate.Read(type, made.Certificate.ToArray(), made.Private.ToArray(), out string reason));
        Assert.Equal("", reason);
        Assert.Equal(size, type switch
        {
            "cert-rsa" => certificate.GetRSAPublicKey()!.KeySize,
            "cert-ecdsa" => certificate.GetECDsaPublicKey()!.KeySize,
            _ => 0,
        });
        if (size != 1024) // too short for some systems' chains
            AssertChain(certificate, s_authority);
    }

    [OpenSslFact]
    public async Task Openssl_verifies_every_kind()
    {
        string folder = Directory.CreateTempSubdirectory("cloister-certificates-").FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "root.pem"), s_authority.Root.ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(folder, "intermediate.pem"), s_authority.Intermediate.ExportCertificatePem());
        foreach (object[] kind in Kinds())
        {
            SecretMaterial made = Make((string)kind[0], (int)kind[1]);
            await File.WriteAllTextAsync(Path.Combine(folder, "leaf.pem"), PemEncoding.WriteString("CERTIFICATE", made.Certificate.Span));
            await File.WriteAllTextAsync(Path.Combine(folder, "leaf.key"), PemEncoding.WriteString("PRIVATE KEY", made.Private.Span));
            Assert.Contains("OK", await OpenSsl.RunAsync(folder, "verify", "-attime", s_now.AddDays(1).ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture),
                "-CAfile", "root.pem", "-untrusted", "intermediate.pem", "leaf.pem"), StringComparison.Ordinal);
            Assert.Equal(await OpenSsl.RunAsync(folder, "x509", "-in", "leaf.pem", "-noout", "-pubkey"), await OpenSsl.RunAsync(folder, "pkey", "-in", "leaf.key", "-pubout"));
        }
        Directory.Delete(folder, recursive: true);
    }

    [OpenSslFact(sharedData: true)]
    public async Task Templates_give_the_certificates_that_marblerun_gave()
    {
        using JsonDocument cases = JsonDocument.Parse(File.ReadAllBytes(TestData.Path("marblerun/manifest-verdicts.json")));
        string folder = Directory.CreateTempSubdirectory("cloister-certificates-").FullName;
        int compared = 0;
        foreach (JsonElement one in cases.RootElement.EnumerateArray())
        {
            if (!one.TryGetProperty("certText", out JsonElement recorded)) continue;
            ManifestDocument manifest = ManifestReader.Read(File.ReadAllBytes(TestData.Path("marblerun/" + one.GetProperty("file").GetString())), ManifestDialect.MarbleRun).Document;
            SecretMaterial made = SharedSecrets.Generate(manifest, s_authority, s_now)["s"];
            await File.WriteAllBytesAsync(Path.Combine(folder, "leaf.der"), made.Certificate.ToArray());
            string text = await OpenSsl.RunAsync(folder, "x509", "-inform", "DER", "-in", "leaf.der", "-noout", "-text");
            Assert.Equal(Lines(recorded.GetString()!), Lines(text));
            compared++;
        }
        Directory.Delete(folder, recursive: true);
        Assert.True(compared >= 9, $"{compared} certificates were compared");
    }

    [Fact]
    public void Every_made_certificate_has_another_key_and_number()
    {
        SecretMaterial one = Make("cert-ecdsa", 256), other = Make("cert-ecdsa", 256);
        Assert.NotEqual(one.Private.ToArray(), other.Private.ToArray());
        using X509Certificate2 first = X509CertificateLoader.LoadCertificate(one.Certificate.Span), second = X509CertificateLoader.LoadCertificate(other.Certificate.Span);
        Assert.NotEqual(first.SerialNumber, second.SerialNumber);
    }

    [Fact]
    public void Days_and_ends_are_the_manifests()
    {
        Assert.Equal(s_now.AddDays(7), End("""{ "Type": "cert-ed25519", "Shared": true, "ValidFor": 7 }"""));
        Assert.Equal(new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero), End("""{ "Type": "cert-ed25519", "Shared": true, "Cert": { "NotAfter": "2100-01-01T00:00:00Z" } }"""));
    }

    [Fact]
    public void Only_shared_secrets_are_made_with_the_manifest()
    {
        ManifestDocument manifest = CertificateManifest.Read("""
            {
              "key": { "Type": "symmetric-key", "Size": 128, "Shared": true }, "certificate": { "Type": "cert-ecdsa", "Size": 256, "Shared": true },
              "own": { "Type": "cert-rsa", "Size": 8192 }, "user": { "Type": "cert-rsa", "Size": 2048, "Shared": true, "UserDefined": true }
            }
            """);
        ImmutableDictionary<string, SecretMaterial> made = SharedSecrets.Generate(manifest, s_authority, s_now);
        Assert.Equal(["certificate", "key"], made.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(16, made["key"].Private.Length);
    }

    [Fact]
    public void A_package_update_makes_shared_certificates_anew_under_the_new_intermediate()
    {
        ManifestDocument manifest = CertificateManifest.Read("""
            { "key": { "Type": "symmetric-key", "Size": 128, "Shared": true }, "certificate": { "Type": "cert-ecdsa", "Size": 256, "Shared": true, "ValidFor": 9 } }
            """);
        ImmutableDictionary<string, SecretMaterial> before = SharedSecrets.Generate(manifest, s_authority, s_now);
        CertificateAuthority authority = CertificateAuthority.Create(["localhost"], s_now);
        ImmutableDictionary<string, SecretMaterial> after = SharedSecrets.RenewCertificates(manifest, before, authority, s_now.AddDays(3));
        Assert.Equal(before["key"], after["key"]);
        Assert.NotEqual(before["certificate"].Public.ToArray(), after["certificate"].Public.ToArray());
        using X509Certificate2 renewed = X509CertificateLoader.LoadCertificate(after["certificate"].Certificate.Span);
        Assert.Equal(s_now.AddDays(9).UtcDateTime, renewed.NotAfter.ToUniversalTime());
        AssertChain(renewed, authority, s_now.AddDays(4));
    }

    private static DateTimeOffset End(string secret)
    {
        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(
            SharedSecrets.Generate(CertificateManifest.Read($$"""{ "s": {{secret}} }"""), s_authority, s_now)["s"].Certificate.Span);
        return certificate.NotAfter.ToUniversalTime();
    }

    internal static SecretMaterial Make(string type, int size, string template = "{}") => SharedSecrets.Generate(
        CertificateManifest.Read($$"""{ "s": { "Type": "{{type}}", "Size": {{size}}, "Shared": true, "Cert": {{template}} } }"""), s_authority, s_now)["s"];

    private static void AssertChain(X509Certificate2 certificate, CertificateAuthority authority, DateTimeOffset? at = null)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority.Root);
        chain.ChainPolicy.ExtraStore.Add(authority.Intermediate);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = (at ?? s_now.AddDays(1)).UtcDateTime;
        Assert.True(chain.Build(certificate), string.Join(", ", chain.ChainStatus.Select(status => status.StatusInformation)));
        Assert.Equal(3, chain.ChainElements.Count);
    }

    // Names and extensions; what differs from certificate to certificate was left out when MarbleRun's were recorded.
    private static string[] Lines(string text)
    {
        string[] lines = [.. text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0)];
        int extensions = Array.IndexOf(lines, "X509v3 extensions:"), end = Array.FindIndex(lines, extensions, line => line.StartsWith("Signature Algorithm", StringComparison.Ordinal));
        string[] kept = [.. lines.Where(line => line.StartsWith("Issuer:", StringComparison.Ordinal) || line.StartsWith("Subject:", StringComparison.Ordinal)), .. lines[extensions..(end < 0 ? lines.Length : end)]];
        int authority = Array.IndexOf(kept, "X509v3 Authority Key Identifier:");
        if (authority >= 0) kept[authority + 1] = "<id>";
        return kept;
    }
}
