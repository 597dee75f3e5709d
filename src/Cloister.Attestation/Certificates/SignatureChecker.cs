using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cloister.Attestation.Certificates;

/// <summary>
/// Checks signatures under the keys of certificates. It remembers which signatures held and keeps imported keys, both bounded, so
/// that a chain seen before costs no public-key operation; the outcome is the same with and without that memory. Thread-safe.
/// </summary>
public sealed class SignatureChecker
{
    /// <summary>Most signatures remembered; all are forgotten when it is reached.</summary>
    public const int MaximumRemembered = 1024;

    /// <summary>Most different keys kept; all are dropped when it is reached.</summary>
    public const int MaximumKeys = 128;

    private readonly ConcurrentDictionary<Digest, byte> _held = new();
    private readonly ConcurrentDictionary<Digest, ConcurrentBag<AsymmetricAlgorithm>> _keys = new();

    /// <summary>Whether a certificate's signature holds under its issuer's key. Names, dates and rights are not looked at.</summary>
    public bool Holds(Certificate certificate, Certificate issuer) =>
        HoldsRemembered(certificate.Encoded.Span, certificate.Signed.Span, certificate.SignatureAlgorithm, certificate.Signature.Span, issuer);

    /// <summary>Whether a revocation list's signature holds under its issuer's key. Names, dates and rights are not looked at.</summary>
    public bool Holds(RevocationList list, Certificate issuer) =>
        HoldsRemembered(list.Encoded.Span, list.Signed.Span, list.SignatureAlgorithm, list.Signature.Span, issuer);

    /// <summary>Whether a signature over data holds under a certificate's key. Nothing is remembered but the key.</summary>
    /// <param name="signer">Whose key.</param>
    /// <param name="algorithm">How it is signed; one that the key cannot make gives false.</param>
    /// <param name="data">What is signed.</param>
    /// <param name="signature">The signature.</param>
    /// <param name="format">The form of an ECDSA signature.</param>
    public bool Verify(Certificate signer, SignatureAlgorithm algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature, DSASignatureFormat format)
    {
        if (algorithm == SignatureAlgorithm.None || !Fits(algorithm, signer.KeyKind)) return false;
        Digest name = Digest.Of(signer.SubjectPublicKeyInfo.Span);
        if (Take(name, signer) is not { } key) return false;
        bool holds = Verify(key, algorithm, data, signature, format);
        Return(name, key);
        return holds;
    }

    private bool HoldsRemembered(ReadOnlySpan<byte> encoded, ReadOnlySpan<byte> signed, SignatureAlgorithm algorithm, ReadOnlySpan<byte> signature, Certificate issuer)
    {
        Digest name = Digest.Of(encoded, issuer.SubjectPublicKeyInfo.Span);
        if (_held.ContainsKey(name)) return true;
        if (!Verify(issuer, algorithm, signed, signature, DSASignatureFormat.Rfc3279DerSequence)) return false;
        if (_held.Count >= MaximumRemembered) _held.Clear();
        _held[name] = 0;
        return true;
    }

    private AsymmetricAlgorithm? Take(Digest name, Certificate signer) =>
        _keys.TryGetValue(name, out ConcurrentBag<AsymmetricAlgorithm>? kept) && kept.TryTake(out AsymmetricAlgorithm? key) ? key : Import(signer);

    private void Return(Digest name, AsymmetricAlgorithm key)
    {
        // A key in use elsewhere is not in its bag, so clearing never disposes one that somebody holds; the finalizer frees the rest.
        if (_keys.Count >= MaximumKeys) _keys.Clear();
        _keys.GetOrAdd(name, _ => []).Add(key);
    }

    private static AsymmetricAlgorithm? Import(Certificate signer)
    {
        try
        {
            if (signer.KeyKind == PublicKeyKind.Rsa)
            {
                var rsa = RSA.Create();
                rsa.ImportSubjectPublicKeyInfo(signer.SubjectPublicKeyInfo.Span, out _);
                return rsa;
            }
            // Through the certificate the platform decodes the point and finds it on its curve. Importing the bare key repeats a
            // multiplication by the group's order, which a curve of cofactor 1 does not need and which costs more than a signature.
            using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(signer.Encoded.Span);
            return certificate.GetECDsaPublicKey();
        }
        catch (Exception unusable) when (unusable is CryptographicException or PlatformNotSupportedException or ArgumentException)
        {
            return null; // the platform finds the key or the certificate around it out of form
        }
    }

    private static bool Verify(AsymmetricAlgorithm key, SignatureAlgorithm algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature, DSASignatureFormat format)
    {
        Span<byte> hash = stackalloc byte[SHA512.HashSizeInBytes];
        HashAlgorithmName hashName = SignatureAlgorithms.HashOf(algorithm);
        hash = hash[..CryptographicOperations.HashData(hashName, data, hash)];
        try
        {
            return key is ECDsa ecdsa
                ? ecdsa.VerifyHash(hash, signature, format)
                : ((RSA)key).VerifyHash(hash, signature, hashName, SignatureAlgorithms.IsPss(algorithm) ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
        }
        catch (CryptographicException)
        {
            return false; // a signature that is not even of the form
        }
    }

    private static bool Fits(SignatureAlgorithm algorithm, PublicKeyKind kind) => SignatureAlgorithms.IsEcdsa(algorithm)
        ? kind is PublicKeyKind.P256 or PublicKeyKind.P384
        : kind == PublicKeyKind.Rsa;

    /// <summary>A SHA-256 that names bytes.</summary>
    private readonly record struct Digest(ulong A, ulong B, ulong C, ulong D)
    {
        public static Digest Of(ReadOnlySpan<byte> bytes)
        {
            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            SHA256.HashData(bytes, hash);
            return From(hash);
        }

        public static Digest Of(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
        {
            Span<byte> both = stackalloc byte[2 * SHA256.HashSizeInBytes];
            SHA256.HashData(first, both);
            SHA256.HashData(second, both[SHA256.HashSizeInBytes..]);
            return Of(both);
        }

        private static Digest From(ReadOnlySpan<byte> hash) => new(
            BinaryPrimitives.ReadUInt64LittleEndian(hash), BinaryPrimitives.ReadUInt64LittleEndian(hash[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(hash[16..]), BinaryPrimitives.ReadUInt64LittleEndian(hash[24..]));
    }
}
