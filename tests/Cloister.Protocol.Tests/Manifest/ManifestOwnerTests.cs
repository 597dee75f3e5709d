using System.Security.Cryptography;
using System.Text;
using Cloister.Protocol.Manifest;

namespace Cloister.Protocol.Tests.Manifest;

public sealed class ManifestOwnerTests
{
    private static readonly string s_fingerprint = ManifestFingerprint.Of("{}"u8);

    [Fact]
    public void AFingerprintIsTheSha256OfTheExactBytes()
    {
        Assert.Equal("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", s_fingerprint);
        Assert.NotEqual(s_fingerprint, ManifestFingerprint.Of("{} "u8));
        Assert.True(ManifestFingerprint.IsValid(s_fingerprint));
        Assert.False(ManifestFingerprint.IsValid(s_fingerprint.ToUpperInvariant()));
        Assert.False(ManifestFingerprint.IsValid(s_fingerprint[1..]));
        Assert.False(ManifestFingerprint.IsValid(null));
    }

    [Theory]
    [InlineData("1.2.840.10045.3.1.7", 64)]
    [InlineData("1.3.132.0.34", 96)]
    public void ASignatureHoldsForItsKeyAndManifestAlone(string curve, int size)
    {
        using var key = ECDsa.Create(ECCurve.CreateFromValue(curve));
        using var other = ECDsa.Create(ECCurve.CreateFromValue(curve));
        OwnerSignature signature = ManifestOwner.Sign(key, s_fingerprint);
        Assert.Equal(size, signature.Signature.Length);
        Assert.True(ManifestOwner.Verify(signature, s_fingerprint));
        Assert.False(ManifestOwner.Verify(signature, ManifestFingerprint.Of("[]"u8)));
        Assert.False(ManifestOwner.Verify(signature with { PublicKey = other.ExportSubjectPublicKeyInfo() }, s_fingerprint));
        Assert.False(ManifestOwner.Verify(signature with { PublicKey = new byte[91] }, s_fingerprint));
        Assert.False(ManifestOwner.Verify(signature with { Signature = signature.Signature[1..] }, s_fingerprint));
        for (int i = 0; i < signature.Signature.Length; i += 7)
        {
            byte[] bad = signature.Signature.ToArray();
            bad[i] ^= 0x10;
            Assert.False(ManifestOwner.Verify(signature with { Signature = bad }, s_fingerprint));
        }
    }

    [Fact]
    public void WhatIsSignedIsFrozen()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        OwnerSignature signature = ManifestOwner.Sign(key, s_fingerprint);
        byte[] message = [20, 0, 0, 0, .. Encoding.ASCII.GetBytes("cloister/manifest/v1"), 32, 0, 0, 0, .. Convert.FromHexString(s_fingerprint)];
        Assert.True(key.VerifyData(message, signature.Signature.Span, HashAlgorithmName.SHA256));
    }

    [Fact]
    public void OtherKeysAreTheCallersMistake()
    {
        using var p521 = ECDsa.Create(ECCurve.NamedCurves.nistP521);
        Assert.Throws<ArgumentException>(() => ManifestOwner.Sign(p521, s_fingerprint));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Throws<ArgumentException>(() => ManifestOwner.Sign(key, "nope"));
        Assert.False(ManifestOwner.IsOwnerKey(p521.ExportSubjectPublicKeyInfo()));
        Assert.False(ManifestOwner.IsOwnerKey([.. key.ExportSubjectPublicKeyInfo(), 0]));
    }

    [Fact]
    public void ProblemNumbersAreFrozen() => Assert.Equal(
        "100,101,102,103,104,105,200,201,202,203,204,205,206,207,208,209,210,211,212,213,214,215,216,217,218,219,220,300,301,302,303,304,305,400,401,402,410,420,421,422,423,424,425,426,427,430,431,432,433,434,435,436,440,441,442,443,450",
        string.Join(',', Enum.GetValues<ManifestProblemCode>().Select(code => (int)code)));
}
