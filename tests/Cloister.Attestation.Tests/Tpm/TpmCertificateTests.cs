using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;

namespace Cloister.Tests.Tpm;

public sealed class TpmCertificateTests
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void The_pinned_authorities_are_these()
    {
        Assert.Equal(["594759594b9b61524f6c8ef668f7177f7b9066bc0674f2f49fe9e052be78beb2", "9bd5285f8fb18502a7947e621ffd470266f49fcd3b73e19a190f690ad32a7caf"], TpmRoots.Roots.Select(root => Convert.ToHexStringLower(SHA256.HashData(root.Encoded.Span))).Order());
        Assert.Equal(["5d8dbcf8c8053dd8ffad711b6219355032b7122c34cac0f90ccb49def69ec504", "7132b6ea71101f6c51bb58f98c3798c19b65be510eca0344318900510b593178", "c84de8116dfaf5a908f21e810487791f5437e206d00ad8025050cca6bd2ff627"], TpmRoots.Intermediates.Select(one => Convert.ToHexStringLower(SHA256.HashData(one.Encoded.Span))).Order());
        Assert.All(TpmRoots.Roots, root => Assert.True(root.IsSelfIssued && root.IsAuthority));
    }

    [Theory]
    [InlineData("good", null)]
    [InlineData("without key usage", Refusal.TpmCertificateProfile)]
    [InlineData("key encipherment", Refusal.TpmCertificateProfile)]
    [InlineData("endorsement key's usage", Refusal.TpmCertificateProfile)]
    [InlineData("authority", Refusal.TpmCertificateProfile)]
    [InlineData("expired", Refusal.Expired)]
    [InlineData("early", Refusal.NotYetValid)]
    [InlineData("other root", Refusal.ChainUntrusted)]
    [InlineData("no intermediate", Refusal.ChainUntrusted)]
    [InlineData("intermediate is none", Refusal.CertificateNotAuthority)]
    [InlineData("unknown critical extension", Refusal.CertificateExtension)]
    [InlineData("forged", Refusal.ChainUntrusted)]
    [InlineData("garbage", Refusal.CertificateMalformed)]
    public void A_key_certificate_is_checked_up_to_the_anchor(string what, Refusal? expected)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var (certificate, intermediate, root) = Make(what, key);
        Outcome<TpmKeyCertificate> outcome = TpmKeyCertificate.Check(certificate, what == "no intermediate" ? [] : [intermediate], root, VerificationTime.At(what == "early" ? Now.AddYears(-30) : Now));
        Assert.Equal(expected ?? Refusal.None, outcome.Refusal);
        if (expected is null) Assert.Equal("O=Test,CN=machine\\, one", outcome.Value.Subject);
    }

    [Fact]
    public void A_certified_key_is_accepted_and_a_certificate_for_another_key_counts_for_nothing()
    {
        var tpm = new FakeTpm();
        byte[] nonce = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
        var certified = TpmVerifierTests.Policy() with { Key = new TpmKeyPolicy.Certified(Requirement.Exactly("O=Test,CN=machine\\, one"), Requirement.Exactly("")) };
        var (certificate, intermediate, root) = Make("good", tpm.Ec!);
        Claims Prove(byte[] bytes, FakeTpm quoting) => new TpmVerifier().Prove(quoting.Quote(nonce), nonce, new Endorsements([new Endorsement(TpmVerifier.KeyCertificate, bytes), new Endorsement(TpmVerifier.Intermediate, intermediate)]), root, VerificationTime.At(Now)).Claims!;
        Check? Refused(byte[] bytes, TpmPolicy policy, FakeTpm? quoting = null) => TpmCorpusTests.FirstFailed(new TpmAppraiser().Judge(Prove(bytes, quoting ?? tpm), policy, VerificationTime.At(Now)));

        Assert.Null(Refused(certificate, certified));
        Assert.Equal(Refusal.TpmKeyUnknown, Refused(certificate, certified with { Key = new TpmKeyPolicy.Certified(Requirement.Exactly("CN=machine two"), Requirement.Any<string>()) })!.Refusal);
        Assert.Equal(Refusal.TpmKeyUnknown, Refused(certificate, certified with { Key = new TpmKeyPolicy.Certified(Requirement.Any<string>(), Requirement.Exactly("project")) })!.Refusal);
        Check refused = Refused(certificate, certified, new FakeTpm())!;
        Assert.Equal(Refusal.TpmKeyUnknown, refused.Refusal);
        Assert.Contains("another key", refused.Reason, StringComparison.Ordinal);
        Assert.Null(Refused([1, 2, 3], TpmVerifierTests.Policy()));
    }

    private static (byte[] Certificate, byte[] Intermediate, Anchors Root) Make(string what, ECDsa key)
    {
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var middleKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var otherKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] Issue(string subject, ECDsa of, string issuer, ECDsa by, bool authority, params IEnumerable<X509Extension> extensions)
        {
            var request = new CertificateRequest(new X500DistinguishedName(subject), of, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority, false, 0, true));
            foreach (X509Extension extension in extensions) request.CertificateExtensions.Add(extension);
            DateTimeOffset until = what == "expired" && !authority ? Now.AddDays(-1) : Now.AddYears(1);
            using X509Certificate2 made = request.Create(new X500DistinguishedName(issuer), X509SignatureGenerator.CreateForECDsa(by), Now.AddYears(-1), until, [1, 2, 3]);
            return made.RawData;
        }
        byte[] root = Issue("CN=root", rootKey, "CN=root", rootKey, true, new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        byte[] middle = Issue("CN=middle", middleKey, "CN=root", rootKey, what != "intermediate is none", new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        List<X509Extension> extensions = [];
        if (what != "without key usage") extensions.Add(new X509KeyUsageExtension(what == "key encipherment" ? X509KeyUsageFlags.KeyEncipherment : X509KeyUsageFlags.DigitalSignature, true));
        extensions.Add(new X509EnhancedKeyUsageExtension([new Oid(what == "endorsement key's usage" ? "2.23.133.8.1" : "2.23.133.8.3")], true));
        if (what == "unknown critical extension") extensions.Add(new X509Extension("1.2.3.4", [5, 0], true));
        byte[] leaf = what == "garbage" ? [0x30, 1, 2] : Issue("O=Test, CN=\"machine, one\"", key, "CN=middle", what == "forged" ? otherKey : middleKey, what == "authority", extensions);
        byte[] anchor = what == "other root" ? Issue("CN=root", otherKey, "CN=root", otherKey, true) : root;
        return (leaf, middle, new Anchors([new Anchor(TeeKind.Tpm, "test", anchor)]));
    }
}
