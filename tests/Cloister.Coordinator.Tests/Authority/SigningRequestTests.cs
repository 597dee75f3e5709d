using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Coordinator.Activation;
using Cloister.Coordinator.Authority;
using Cloister.Coordinator.Tests.Hosting;

namespace Cloister.Coordinator.Tests.Authority;

public sealed class SigningRequestTests
{
    [Fact]
    public void Keys_of_two_curves_are_allowed_and_no_others()
    {
        using ECDsa p256 = ECDsa.Create(ECCurve.NamedCurves.nistP256), p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384), p521 = ECDsa.Create(ECCurve.NamedCurves.nistP521);
        using RSA rsa = RSA.Create(2048);
        Assert.NotNull(SigningRequest.Read(TestWorkload.Request(p256), null, out _));
        Assert.NotNull(SigningRequest.Read(TestWorkload.Request(p384), null, out _));
        AssertRefused("not ECDSA", TestWorkload.Request(p521));
        AssertRefused("not ECDSA", new CertificateRequest("CN=x", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSigningRequest());
    }

    [Fact]
    public void Every_flipped_byte_is_refused()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 own = TestWorkload.SelfSigned(key), other = TestManifest.Certificate("other");
        byte[] good = TestWorkload.Request(key);
        foreach (X509Certificate2? connection in new[] { null, own, other })
        {
            Assert.NotNull(SigningRequest.Read(good, connection, out _));
            for (int i = 0; i < good.Length; i++)
            {
                byte[] bad = [.. good];
                bad[i] ^= 1;
                Assert.True(SigningRequest.Read(bad, connection, out _) is null, $"byte {i}");
            }
        }
        AssertRefused("malformed", [.. good, 0]);
    }

    [Fact]
    public void A_request_that_another_key_signed_is_refused_whoever_connects()
    {
        using ECDsa named = ECDsa.Create(ECCurve.NamedCurves.nistP384), signing = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var request = new CertificateRequest(new X500DistinguishedName("CN=x"), new PublicKey(named), HashAlgorithmName.SHA384);
        byte[] der = request.CreateSigningRequest(X509SignatureGenerator.CreateForECDsa(signing));
        using X509Certificate2 victim = TestWorkload.SelfSigned(named), thief = TestWorkload.SelfSigned(signing);
        foreach (X509Certificate2? connection in new[] { null, victim, thief })
        {
            Assert.Null(SigningRequest.Read(der, connection, out string reason));
            Assert.Contains("does not verify", reason, StringComparison.Ordinal);
        }
    }

    [Theory, InlineData("SHA256", true), InlineData("SHA384", true), InlineData("SHA512", true), InlineData("SHA1", false)]
    public void Its_hash_is_of_the_SHA2_family(string hash, bool taken)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] der = new CertificateRequest(new X500DistinguishedName("CN=x"), key, new HashAlgorithmName(hash)).CreateSigningRequest(new AnyHash(key));
        Assert.Equal(taken, SigningRequest.Read(der, null, out _) is not null);
    }

    // .NET signs no SHA-1 any more.
    private sealed class AnyHash(ECDsa key) : X509SignatureGenerator
    {
        private readonly X509SignatureGenerator _inner = CreateForECDsa(key);

        public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm) => hashAlgorithm == HashAlgorithmName.SHA1
            ? [0x30, 0x09, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x01] // ecdsa-with-SHA1
            : _inner.GetSignatureAlgorithmIdentifier(hashAlgorithm);

        public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm) => key.SignData(data, hashAlgorithm, DSASignatureFormat.Rfc3279DerSequence);

        protected override PublicKey BuildPublicKey() => _inner.PublicKey;
    }

    [Fact]
    public void Names_are_bounded_and_host_names()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        AssertRefused("DNS name", TestWorkload.Request(key, "a b"));
        var names = new SubjectAlternativeNameBuilder();
        for (int i = 0; i < 65; i++)
            names.AddDnsName($"n{i}");
        var request = new CertificateRequest("CN=x", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        AssertRefused("more than 64", request.CreateSigningRequest());
        AssertRefused("bytes", new byte[SigningRequest.MaxBytes + 1]);
    }

    [Fact]
    public void Mutated_requests_are_read_or_refused()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Mutations.Drive(TestWorkload.Request(key), SigningRequest.Fuzz, 1500);
        Mutations.Drive("urn:uuid:3d0ffb2a-6a3f-4f1b-8d4b-0123456789ab"u8.ToArray(), UuidText.Fuzz);
    }

    [Fact]
    public void Serial_numbers_are_random_and_long()
    {
        CertificateAuthority authority = CertificateAuthority.Create(["localhost"], DateTimeOffset.UnixEpoch);
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var profile = new LeafProfile(Guid.NewGuid(), "t", new PublicKey(key), SubjectNames.None, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddHours(1));
        string[] serials = [.. Enumerable.Range(0, 50).Select(_ => X509CertificateLoader.LoadCertificate(authority.Issue(profile)).SerialNumber)];
        Assert.Equal(50, serials.Distinct().Count());
        Assert.All(serials, serial => Assert.InRange(serial.Length, 26, 34));
        Assert.Contains(serials, serial => serial.Length >= 32);
    }

    private static void AssertRefused(string why, byte[] der)
    {
        Assert.Null(SigningRequest.Read(der, null, out string reason));
        Assert.Contains(why, reason, StringComparison.Ordinal);
    }
}
