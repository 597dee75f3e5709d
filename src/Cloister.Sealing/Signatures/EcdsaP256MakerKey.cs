using System.Security.Cryptography;

namespace Cloister.Sealing;

internal sealed class EcdsaP256MakerKey : MakerKey
{
    private const string P256Oid = "1.2.840.10045.3.1.7";
    private readonly ECDsa key;

    private EcdsaP256MakerKey(ECDsa key)
    {
        this.key = key;
        Public = MakerPublicKey.FromSpki(key.ExportSubjectPublicKeyInfo());
    }

    public override MakerPublicKey Public { get; }

    public static EcdsaP256MakerKey Generate() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    public static EcdsaP256MakerKey ImportPkcs8(ReadOnlySpan<byte> der)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportPkcs8PrivateKey(der, out int read);
            ECCurve curve = key.ExportParameters(includePrivateParameters: false).Curve;
            if (read == der.Length && curve.IsNamed && curve.Oid.Value == P256Oid)
            {
                var maker = new EcdsaP256MakerKey(key);
                // A file may pair a private key with somebody else's public key; signing once shows that they belong together.
                if (maker.Public.Verify(der[..1], maker.Sign(der[..1])))
                    return maker;
            }
        }
        // A curve that the platform lacks is PlatformNotSupported there, and for us another key that is not P-256.
        catch (Exception problem) when (problem is CryptographicException or PlatformNotSupportedException)
        {
            key.Dispose();
            throw Refused(problem);
        }
        key.Dispose();
        throw Refused(null);
    }

    public override byte[] Sign(ReadOnlySpan<byte> message) =>
        key.SignData(message, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    private protected override SecretBytes ExportPkcs8()
    {
        byte[] der = key.ExportPkcs8PrivateKey();
        try
        {
            return SecretBytes.Copy(der);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(der);
        }
    }

    private protected override void Dispose(bool disposing)
    {
        if (disposing)
            key.Dispose();
    }

    private static SealingException Refused(Exception? inner) =>
        new(SealingError.InvalidPrivateKey, "This is neither an Ed25519 nor a P-256 private key in PKCS#8. Make one with: cloister model keygen", inner);
}
