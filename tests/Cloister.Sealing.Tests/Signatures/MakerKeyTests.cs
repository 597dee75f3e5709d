using System.Security.Cryptography;

namespace Cloister.Sealing.Tests.Signatures;

public class MakerKeyTests
{
    [Theory]
    [InlineData(SignatureAlgorithm.Ed25519)]
    [InlineData(SignatureAlgorithm.EcdsaP256)]
    public void SignsVerifiesAndSurvivesPem(SignatureAlgorithm algorithm)
    {
        using MakerKey key = MakerKey.Generate(algorithm);
        using MakerKey again = MakerKey.FromPem(key.ToPem());
        Assert.Equal(key.Public, again.Public);
        Assert.Equal(key.Public, MakerPublicKey.FromPem(key.Public.ToPem()));
        Assert.Equal(key.Public.GetHashCode(), again.Public.GetHashCode());
        Assert.Equal(algorithm, key.Public.Algorithm);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(key.Public.SubjectPublicKeyInfo.Span)), key.Public.Fingerprint);

        byte[] message = "signed"u8.ToArray(), signature = again.Sign(message);
        Assert.Equal(64, signature.Length);
        Assert.True(key.Public.Verify(message, signature));
        Assert.False(key.Public.Verify("other"u8, signature));
        Assert.False(key.Public.Verify(message, signature.AsSpan(1)));
        for (int i = 0; i < signature.Length; i++)
        {
            byte[] changed = [.. signature];
            changed[i] ^= 0x10;
            Assert.False(key.Public.Verify(message, changed), $"byte {i}");
        }
        using MakerKey other = MakerKey.Generate(algorithm);
        Assert.NotEqual(key.Public, other.Public);
        Assert.False(other.Public.Verify(message, signature));
    }

    [Fact]
    public void KnownAlgorithmsAreSupported()
    {
        Assert.All(Enum.GetValues<SignatureAlgorithm>(), algorithm => Assert.True(MakerKey.IsSupported(algorithm)));
        Assert.All(Enum.GetValues<HpkeKem>(), kem => Assert.True(HpkePrivateKey.IsSupported(kem)));
        Assert.False(MakerKey.IsSupported(0));
        Assert.False(HpkePrivateKey.IsSupported(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => MakerKey.Generate(0));
    }

    [Fact]
    public void TextsNeverHoldTheKey()
    {
        using MakerKey key = MakerKey.Generate(SignatureAlgorithm.Ed25519);
        Assert.Equal($"MakerKey(Ed25519 {key.Public.Fingerprint})", key.ToString());
    }

    [Fact]
    public void OtherKeysAreRefused()
    {
        using ECDsa p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using ECDsa p256 = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using RSA rsa = RSA.Create(2048);
        foreach (string pem in new[]
        {
            "", "no pem", p384.ExportPkcs8PrivateKeyPem(), rsa.ExportPkcs8PrivateKeyPem(), p256.ExportECPrivateKeyPem(),
            p256.ExportPkcs8PrivateKeyPem() + "trailing", "leading" + p256.ExportPkcs8PrivateKeyPem(),
            p256.ExportPkcs8PrivateKeyPem() + "\n" + p256.ExportPkcs8PrivateKeyPem(), new string('A', 100_000),
            p256.ExportEncryptedPkcs8PrivateKeyPem("password", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000)),
        })
            Assert.Equal(SealingError.InvalidPrivateKey, Assert.Throws<SealingException>(() => MakerKey.FromPem(pem)).Error);

        byte[] spki = p256.ExportSubjectPublicKeyInfo(), offCurve = [.. spki];
        offCurve[^1] ^= 1;
        foreach (byte[] der in new[] { [], offCurve, [.. spki, 0], spki[..^1], p384.ExportSubjectPublicKeyInfo(), rsa.ExportSubjectPublicKeyInfo() })
            Assert.Equal(SealingError.MalformedMakerKey, Assert.Throws<SealingException>(() => MakerPublicKey.FromSpki(der)).Error);
        Assert.Equal(SealingError.MalformedMakerKey, Assert.Throws<SealingException>(() => MakerPublicKey.FromPem(p256.ExportPkcs8PrivateKeyPem())).Error);
    }

    [Fact]
    public void PrivateKeyWithSomebodyElsesPublicKeyIsRefused()
    {
        using ECDsa own = ECDsa.Create(ECCurve.NamedCurves.nistP256), other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] der = own.ExportPkcs8PrivateKey();
        byte[] ownPoint = own.ExportSubjectPublicKeyInfo()[^64..], otherPoint = other.ExportSubjectPublicKeyInfo()[^64..];
        int at = der.AsSpan().IndexOf(ownPoint);
        Assert.True(at > 0);
        otherPoint.CopyTo(der, at);
        string pem = PemEncoding.WriteString("PRIVATE KEY", der);
        Assert.Equal(SealingError.InvalidPrivateKey, Assert.Throws<SealingException>(() => MakerKey.FromPem(pem)).Error);
    }

    [Fact]
    public void MutatedKeysAreRefusedAsDocumented()
    {
        foreach (SignatureAlgorithm algorithm in Enum.GetValues<SignatureAlgorithm>())
        {
            using MakerKey key = MakerKey.Generate(algorithm);
            foreach (byte[] bytes in Mutations.Of(key.Public.SubjectPublicKeyInfo.ToArray(), 1, 2000))
                MakerPublicKey.Fuzz(bytes);
            foreach (byte[] bytes in Mutations.Of(System.Text.Encoding.ASCII.GetBytes(key.ToPem()), 2, 2000))
                MakerKey.Fuzz(bytes);
        }
    }
}
