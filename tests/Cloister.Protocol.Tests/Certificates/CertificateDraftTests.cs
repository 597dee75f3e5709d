using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Cloister.Protocol.Certificates;
using Cloister.Protocol.Manifest;
using Cloister.Tests;

namespace Cloister.Protocol.Tests.Certificates;

/// <summary>
/// Certificates as Go makes them: go-x509.json holds templates with the to-be-signed part, or the refusal, that Go's standard
/// library (1.26) gave for them (issuer CN=issuer with key identifier 00..13, an Ed25519 key of zeros, serial number 1234, 2026-01-02 03:04:05).
/// </summary>
public sealed class CertificateDraftTests
{
    private static readonly byte[] s_issuer = new CertificateName { CommonName = "issuer" }.Encode();
    private static readonly byte[] s_issuerKeyId = [.. Enumerable.Range(0, 20).Select(i => (byte)i)];
    private static readonly byte[] s_key = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00, .. new byte[32]];
    private static readonly DateTimeOffset s_begin = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static readonly string[] s_otherWords =
    [
        "parsing time", "x509: invalid RDNSequence: invalid attribute value", "x509: cannot parse URI", "x509: malformed spki", "asn1: structure error: cannot represent time",
    ];

    public static TheoryData<string> Recorded() => [.. Cases().Select(one => one.GetProperty("name").GetString()!)];

    [Theory]
    [MemberData(nameof(Recorded))]
    public void A_certificate_is_the_one_that_Go_makes(string name)
    {
        JsonElement one = Cases().Single(one => one.GetProperty("name").GetString() == name);
        ManifestOutcome outcome = Read(one.GetProperty("template").GetRawText());
        if (one.TryGetProperty("error", out JsonElement error))
        {
            Assert.False(outcome.IsAccepted, error.GetString());
            string message = outcome.Problems[0].Message;
            // Go says a little more of these, and finds some of them later.
            if (s_otherWords.Any(words => error.GetString()!.StartsWith(words, StringComparison.Ordinal))) return;
            string words = error.GetString()!.Replace("Go struct field Certificate.", "Go struct field Secret.Secrets.Cert.", StringComparison.Ordinal);
            Assert.Equal((message.StartsWith("unmarshaling", StringComparison.Ordinal) ? "unmarshaling manifest: " : "generating secrets from manifest: ") + words, message);
            return;
        }
        Assert.True(outcome.IsAccepted, string.Join(", ", outcome.Problems));
        Assert.Equal(one.GetProperty("body").GetString(), Convert.ToHexStringLower(Draft(outcome).Encode(out _)));
    }

    [Theory]
    [InlineData("""{ "Policies": ["1"] }""")]
    [InlineData("""{ "Policies": ["1.40"] }""")]
    [InlineData("""{ "Policies": ["1.2.+3"] }""")]
    [InlineData("""{ "Policies": [1] }""")]
    [InlineData("""{ "IsCA": true, "MaxPathLen": -2 }""")]
    [InlineData("""{ "SignatureAlgorithm": 9 }""")] // Go signs with SHA-1
    [InlineData("""{ "UnknownExtKeyUsage": [[1, 2, -3]] }""")] // Go writes what nobody reads
    [InlineData("""{ "RawSubject": "MAE=" }""")]
    [InlineData("""{ "RawSubject": "MAAA" }""")]
    [InlineData("""{ "ExtraExtensions": [{ "Id": [2, 5, 29, 19], "Value": "MAAA" }] }""")] // Go leaves trailing bytes
    [InlineData("""{ "URIs": [null] }""")]
    [InlineData("\"AQID\"")]
    [InlineData("5")]
    public void What_cannot_be_made_is_refused(string template) => Assert.False(Read(template).IsAccepted);

    [Theory]
    [InlineData("\"not base64\"")]
    [InlineData("null")]
    [InlineData("{}")]
    public void What_says_nothing_changes_nothing(string template) => Assert.Equal(CertificateTemplate.Empty, Read(template).Document.Secrets["s"].Certificate);

    [Theory]
    [InlineData("""{ "NotBefore": "2000-01-01T00:00:00Z" }""", ManifestProblemCode.UnknownMember)]
    [InlineData("""{ "dnsNames": ["a"] }""", ManifestProblemCode.UnknownMember)]
    [InlineData("""{ "KeyUsage": 1, "KeyUsage": 2 }""", ManifestProblemCode.RepeatedMember)]
    [InlineData("""{ "Subject": { "Name": "x" } }""", ManifestProblemCode.UnknownMember)]
    [InlineData("\"AQID\"", ManifestProblemCode.WrongType)]
    public void Cloisters_dialect_takes_no_member_that_has_no_effect(string template, ManifestProblemCode code) =>
        Assert.Contains(Read(template, ManifestDialect.Cloister).Problems, problem => problem.Code == code);

    [Fact]
    public void Repeated_members_merge()
    {
        CertificateTemplate template = Read("""{ "DNSNames": ["a"], "KeyUsage": 1 }, "Cert": { "dnsnames": ["b"] }""").Document.Secrets["s"].Certificate;
        Assert.Equal(("b", 1L), (template.DnsNames!.Value.Single(), template.KeyUsage));
    }

    [Fact]
    public void A_signed_certificate_is_one_for_dotnet_and_openssl()
    {
        using ECDsa issuer = ECDsa.Create(ECCurve.NamedCurves.nistP384), subject = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=issuer", issuer, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        using X509Certificate2 root = request.CreateSelfSigned(s_begin.AddDays(-1), s_begin.AddYears(10));
        foreach (int algorithm in (int[])[0, 10, 11, 12])
        {
            CertificateDraft draft = Draft(Read($$"""{ "SignatureAlgorithm": {{algorithm}} }""")) with { Issuer = root.SubjectName.RawData, SubjectPublicKeyInfo = subject.ExportSubjectPublicKeyInfo() };
            using X509Certificate2 leaf = X509CertificateLoader.LoadCertificate(draft.Sign(issuer));
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.Add(root);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            chain.ChainPolicy.VerificationTime = s_begin.AddDays(1).UtcDateTime;
            Assert.True(chain.Build(leaf), string.Join(", ", chain.ChainStatus.Select(status => status.StatusInformation)));
            Assert.True(leaf.MatchesHostname("localhost"));
        }
    }

    [Fact]
    public void Mutated_templates_are_refused_or_made() =>
        Mutations.Drive(bytes => CertificateDecoder.Fuzz(bytes), 5000, [.. Cases().Select(one => Encoding.UTF8.GetBytes(one.GetProperty("template").GetRawText()))]);

    private static CertificateDraft Draft(ManifestOutcome outcome)
    {
        ManifestSecret secret = outcome.Document.Secrets["s"];
        return new CertificateDraft(secret.Certificate.WithDefaults(), s_issuer, s_issuerKeyId, s_key, (byte[])[0x12, 0x34], s_begin, secret.NotAfter(s_begin));
    }

    private static ManifestOutcome Read(string template, ManifestDialect dialect = ManifestDialect.MarbleRun)
    {
        string id = string.Concat(Enumerable.Repeat("00", 32));
        return ManifestReader.Read(Encoding.UTF8.GetBytes($$"""
            { "Packages": { "p": { "UniqueID": "{{id}}" } }, "Marbles": { "m": { "Package": "p" } },
              "Secrets": { "s": { "Type": "cert-ecdsa", "Size": 256, "Shared": true, "Cert": {{template}} } } }
            """), dialect);
    }

    private static List<JsonElement> Cases() => [.. JsonDocument.Parse(File.ReadAllBytes(Path.Combine(
        TestData.RepositoryRoot, "tests", "Cloister.Protocol.Tests", "Certificates", "go-x509.json"))).RootElement.EnumerateArray()];
}
