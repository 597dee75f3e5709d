using System.Security.Cryptography;
using Cloister.Protocol.Manifest;
using Cloister.Sealing;

namespace Cloister.Coordinator.Secrets;

/// <summary>A new key pair of a certificate secret.</summary>
/// <param name="SubjectPublicKeyInfo">DER.</param>
/// <param name="Pkcs8">The private key, DER; whoever keeps it zeroes it.</param>
internal sealed record SecretKeyPair(byte[] SubjectPublicKeyInfo, byte[] Pkcs8)
{
    /// <summary>Bits of RSA keys: from Go's least to what still is made in minutes; .NET makes multiples of 8.</summary>
    public const int MinRsaBits = 1024, MaxRsaBits = 8192;

    // RFC 5480, 2.1.1.1: .NET has no name of its own for P-224.
    private static readonly ECCurve s_p224 = ECCurve.CreateFromValue("1.3.132.0.33");

    /// <summary>Whether <see cref="Generate"/> makes RSA keys of this size.</summary>
    public static bool IsRsaSize(ulong bits) => bits is >= MinRsaBits and <= MaxRsaBits && bits % 8 == 0;

    /// <exception cref="CryptographicException">The platform does not make such a key.</exception>
    /// <exception cref="PlatformNotSupportedException">It lacks Ed25519.</exception>
    public static SecretKeyPair Generate(ManifestSecret definition)
    {
        switch (definition.Type)
        {
            case ManifestSecretTypes.CertRsa:
                using (RSA rsa = RSA.Create(checked((int)definition.Size)))
                    return new SecretKeyPair(rsa.ExportSubjectPublicKeyInfo(), rsa.ExportPkcs8PrivateKey());
            case ManifestSecretTypes.CertEcdsa:
                using (ECDsa ecdsa = ECDsa.Create(Curve(definition.Size)))
                    return new SecretKeyPair(ecdsa.ExportSubjectPublicKeyInfo(), ecdsa.ExportPkcs8PrivateKey());
            case ManifestSecretTypes.CertEd25519:
                using (Ed25519KeyPair ed25519 = Ed25519KeyPair.Generate())
                using (SecretBytes pkcs8 = ed25519.ExportPkcs8())
                    return new SecretKeyPair(ed25519.ExportSubjectPublicKeyInfo(), pkcs8.Span.ToArray());
            default:
                throw new ArgumentException($"A secret of type {definition.Type} has no key pair.", nameof(definition));
        }
    }

    /// <summary>Names no values: they are secret.</summary>
    public override string ToString() => nameof(SecretKeyPair);

    private static ECCurve Curve(ulong bits) => bits switch
    {
        224 => s_p224,
        256 => ECCurve.NamedCurves.nistP256,
        384 => ECCurve.NamedCurves.nistP384,
        521 => ECCurve.NamedCurves.nistP521,
        _ => throw new ArgumentOutOfRangeException(nameof(bits), bits, "No curve has this size."),
    };
}
