using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Cloister.Protocol.Tokens;
using Cloister.Sealing;

namespace Cloister.Serving.Callers.Tokens;

/// <summary>A public key that verifies tokens' signatures: each algorithm with the type of key it is for, and no other.</summary>
internal sealed class VerificationKey
{
    // RFC 8410: SubjectPublicKeyInfo of an Ed25519 key, before its 32 bytes.
    private static readonly byte[] s_ed25519 = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

    private readonly JsonWebKey _key;

    private VerificationKey(JsonWebKey key) => _key = key;

    /// <summary>The key's name; null where it has none.</summary>
    public string? KeyId => _key.KeyId;

    /// <summary>Takes a key over if this machine can use it: a point on its curve, an algorithm that is there.</summary>
    public static bool TryCreate(JsonWebKey key, [NotNullWhen(true)] out VerificationKey? usable)
    {
        usable = null;
        try
        {
            if (key.Kind == JsonWebKeyKind.Rsa) ImportRsa(key).Dispose();
            else if (key.Kind == JsonWebKeyKind.Ed25519) { if (!Ed25519KeyPair.IsSupported) return false; }
            else ImportCurve(key).Dispose();
        }
        catch (Exception error) when (error is CryptographicException or PlatformNotSupportedException)
        {
            return false;
        }
        usable = new VerificationKey(key);
        return true;
    }

    /// <summary>Whether the key may be used with an algorithm.</summary>
    public bool Fits(string algorithm) => TokenAlgorithms.Fits(_key.Kind, algorithm) && (_key.Algorithm is null || _key.Algorithm == algorithm);

    /// <summary>Whether a signature is this key's. Keys are imported anew each time: the framework's are not for several threads, and verified tokens are remembered.</summary>
    public bool Verify(string algorithm, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (!Fits(algorithm)) return false;
        HashAlgorithmName hash = algorithm[^3..] switch { "384" => HashAlgorithmName.SHA384, "512" => HashAlgorithmName.SHA512, _ => HashAlgorithmName.SHA256 };
        switch (_key.Kind)
        {
            case JsonWebKeyKind.Rsa:
                using (RSA rsa = ImportRsa(_key))
                    return signature.Length == _key.First.Length && rsa.VerifyData(message, signature, hash, algorithm[0] == 'P' ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
            case JsonWebKeyKind.Ed25519:
                return MakerPublicKey.FromSpki([.. s_ed25519, .. _key.First.Span]).Verify(message, signature);
            default:
                using (ECDsa curve = ImportCurve(_key))
                    return signature.Length == 2 * _key.First.Length && curve.VerifyData(message, signature, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
    }

    private static RSA ImportRsa(JsonWebKey key) => RSA.Create(new RSAParameters { Modulus = key.First.ToArray(), Exponent = key.Second.ToArray() });

    private static ECDsa ImportCurve(JsonWebKey key) => ECDsa.Create(new ECParameters
    {
        Curve = key.Kind switch { JsonWebKeyKind.P256 => ECCurve.NamedCurves.nistP256, JsonWebKeyKind.P384 => ECCurve.NamedCurves.nistP384, _ => ECCurve.NamedCurves.nistP521 },
        Q = new ECPoint { X = key.First.ToArray(), Y = key.Second.ToArray() },
    });
}
