using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Client.Pkcs11;
using Cloister.Protocol.Manifest;

namespace Cloister.Tests;

/// <summary>Keys in a real token: what they sign and decrypt, other code accepts.</summary>
[Collection(nameof(SoftToken))]
public sealed class Pkcs11TokenTests(SoftToken soft)
{
    private static readonly byte[] Message = Encoding.UTF8.GetBytes("what is signed");

    private static Pkcs11Token Open(string? configuration = null)
    {
        using Pkcs11Configuration read = Pkcs11Configuration.Read(Encoding.UTF8.GetBytes(configuration ?? SoftToken.Configuration()));
        return Pkcs11Token.Open(read);
    }

    [TokenFact]
    public void An_RSA_key_signs_with_both_paddings_and_three_hashes()
    {
        using Pkcs11Token token = Open();
        using RSA key = token.FindRsa(Pkcs11Name.Of(null, "rsa"));
        using var other = RSA.Create();
        other.ImportSubjectPublicKeyInfo(soft.RsaKey, out _);
        Assert.Equal(soft.RsaKey, key.ExportSubjectPublicKeyInfo());
        foreach (HashAlgorithmName hash in new[] { HashAlgorithmName.SHA256, HashAlgorithmName.SHA384, HashAlgorithmName.SHA512 })
        {
            foreach (RSASignaturePadding padding in new[] { RSASignaturePadding.Pkcs1, RSASignaturePadding.Pss })
            {
                byte[] signature = key.SignData(Message, hash, padding);
                Assert.True(other.VerifyData(Message, signature, hash, padding), $"{hash} {padding}");
                Assert.True(key.VerifyData(Message, signature, hash, padding));
            }
        }
    }

    [TokenFact]
    public void An_RSA_key_opens_what_was_encrypted_to_it_and_nothing_else()
    {
        using Pkcs11Token token = Open();
        using RSA key = token.FindRsa(Pkcs11Name.Of("hex:01", null));
        byte[] share = RandomNumberGenerator.GetBytes(32);
        foreach (RSAEncryptionPadding padding in new[] { RSAEncryptionPadding.OaepSHA1, RSAEncryptionPadding.OaepSHA256, RSAEncryptionPadding.OaepSHA512 })
            Assert.Equal(share, key.Decrypt(key.Encrypt(share, padding), padding));
        Assert.Equal([], key.Decrypt(key.Encrypt([], RSAEncryptionPadding.OaepSHA256), RSAEncryptionPadding.OaepSHA256));

        byte[] changed = key.Encrypt(share, RSAEncryptionPadding.OaepSHA256);
        changed[^1] ^= 1;
        Assert.ThrowsAny<Exception>(() => key.Decrypt(changed, RSAEncryptionPadding.OaepSHA256));
        Assert.ThrowsAny<Exception>(() => key.Decrypt(key.Encrypt(share, RSAEncryptionPadding.OaepSHA512), RSAEncryptionPadding.OaepSHA256));
        Assert.Throws<CryptographicException>(() => key.Decrypt(changed, RSAEncryptionPadding.Pkcs1));
    }

    [TokenFact]
    public void Elliptic_curve_keys_sign_and_may_own_a_manifest()
    {
        using Pkcs11Token token = Open();
        foreach ((string label, byte[] half) in new[] { ("p256", soft.P256Key), ("p384", soft.P384Key) })
        {
            using ECDsa key = token.FindEcdsa(Pkcs11Name.Of(null, label));
            Assert.Equal(half, key.ExportSubjectPublicKeyInfo());
            using var other = ECDsa.Create();
            other.ImportSubjectPublicKeyInfo(half, out _);
            Assert.True(other.VerifyData(Message, key.SignData(Message, HashAlgorithmName.SHA512), HashAlgorithmName.SHA512));
            Assert.True(other.VerifyData(Message, key.SignData(Message, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
            string fingerprint = ManifestFingerprint.Of(Message);
            Assert.True(ManifestOwner.Verify(ManifestOwner.Sign(key, fingerprint), fingerprint));
        }
    }

    [TokenFact]
    public void The_private_half_does_not_leave_the_token()
    {
        using Pkcs11Token token = Open();
        using RSA rsa = token.FindRsa(Pkcs11Name.Of(null, "rsa"));
        using ECDsa ecdsa = token.FindEcdsa(Pkcs11Name.Of(null, "p256"));
        Assert.Throws<CryptographicException>(() => rsa.ExportParameters(true));
        Assert.Throws<CryptographicException>(() => ecdsa.ExportParameters(true));
        Assert.Throws<CryptographicException>(ecdsa.ExportPkcs8PrivateKey);
        Assert.Throws<NotSupportedException>(() => ecdsa.GenerateKey(ECCurve.NamedCurves.nistP256));
    }

    [TokenFact]
    public void Certificates_are_read_by_id_and_by_label()
    {
        using Pkcs11Token token = Open();
        using X509Certificate2 byLabel = token.FindCertificate(Pkcs11Name.Of(null, "p384")), byId = token.FindCertificate(Pkcs11Name.Of("hex:03", null));
        Assert.Equal("CN=p384", byLabel.Subject);
        Assert.Equal(byLabel.RawData, byId.RawData);
        Assert.False(byLabel.HasPrivateKey);
    }

    [TokenFact]
    public void What_is_not_there_is_said_by_name()
    {
        using Pkcs11Token token = Open();
        Pkcs11Exception missing = Assert.Throws<Pkcs11Exception>(() => token.FindKey(Pkcs11Name.Of(null, "nothing")));
        Assert.Equal(Pkcs11Error.ObjectNotFound, missing.Error);
        Assert.Contains("label 'nothing'", missing.Message, StringComparison.Ordinal);
        Assert.Equal(Pkcs11Error.ObjectNotFound, Assert.Throws<Pkcs11Exception>(() => token.FindCertificate(Pkcs11Name.Of("abc", null))).Error);
        Assert.Equal(Pkcs11Error.ObjectNotFound, Assert.Throws<Pkcs11Exception>(() => token.FindKey(Pkcs11Name.Of("hex:01", "p256"))).Error);
        Assert.Equal(Pkcs11Error.ObjectNotSuitable, Assert.Throws<Pkcs11Exception>(() => token.FindRsa(Pkcs11Name.Of(null, "p256"))).Error);
        Assert.Equal(Pkcs11Error.ObjectNotSuitable, Assert.Throws<Pkcs11Exception>(() => token.FindEcdsa(Pkcs11Name.Of(null, "rsa"))).Error);
    }

    [TokenFact]
    public void A_token_that_is_closed_is_used_no_more()
    {
        Pkcs11Token token = Open();
        using RSA rsa = token.FindRsa(Pkcs11Name.Of(null, "rsa"));
        token.Dispose();
        token.Dispose();
        Assert.Throws<ObjectDisposedException>(() => rsa.SignData(Message, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        Assert.Throws<ObjectDisposedException>(() => token.FindKey(Pkcs11Name.Of(null, "rsa")));
    }

    [TokenFact]
    public void A_module_or_token_that_does_not_serve_is_refused_with_what_there_is()
    {
        Assert.Equal(Pkcs11Error.ModuleMissing, Assert.Throws<Pkcs11Exception>(() => Open("""{ "Path": "/nowhere/module.so", "TokenLabel": "x" }""")).Error);
        Assert.Equal(Pkcs11Error.ModuleMissing, Assert.Throws<Pkcs11Exception>(() => Open("""{ "Path": "libcrypto.so.3", "TokenLabel": "x" }""")).Error);
        Pkcs11Exception unknown = Assert.Throws<Pkcs11Exception>(() => Open(SoftToken.Configuration(label: "another")));
        Assert.Equal(Pkcs11Error.TokenNotFound, unknown.Error);
        Assert.Contains($"'{SoftToken.Label}'", unknown.Message, StringComparison.Ordinal);
    }

    [TokenFact]
    public async Task Many_threads_use_one_token()
    {
        using Pkcs11Token token = Open();
        using ECDsa key = token.FindEcdsa(Pkcs11Name.Of(null, "p256"));
        await Parallel.ForAsync(0, 64, (i, _) =>
        {
            byte[] data = BitConverter.GetBytes(i);
            byte[] signature = key.SignData(data, HashAlgorithmName.SHA256);
            using var other = ECDsa.Create();
            other.ImportSubjectPublicKeyInfo(soft.P256Key, out int read);
            Assert.True(other.VerifyData(data, signature, HashAlgorithmName.SHA256));
            return ValueTask.CompletedTask;
        });
    }
}
