using System.Collections.Immutable;

namespace Cloister.Attestation.Certificates;

/// <summary>The kind of a public key.</summary>
public enum PublicKeyKind
{
    /// <summary>A kind that is not accepted.</summary>
    None = 0,

    /// <summary>ECDSA on P-256, uncompressed point.</summary>
    P256,

    /// <summary>ECDSA on P-384, uncompressed point.</summary>
    P384,

    /// <summary>RSA of 2048 to 8192 bits.</summary>
    Rsa,
}

/// <summary>One extension of a certificate or revocation list.</summary>
/// <param name="Oid">The object identifier's content octets.</param>
/// <param name="IsCritical">Whether one who does not know it must refuse.</param>
/// <param name="Value">The octets of its extnValue.</param>
public readonly record struct CertificateExtension(ReadOnlyMemory<byte> Oid, bool IsCritical, ReadOnlyMemory<byte> Value);

/// <summary>
/// An X.509 certificate (RFC 5280) as read, unchecked: nothing here says that its signature holds. All members are slices of
/// <see cref="Encoded"/>, which must not change. Made by <see cref="CertificateParser"/> alone.
/// </summary>
public sealed class Certificate
{
    internal Certificate()
    {
    }

    /// <summary>The whole certificate, DER.</summary>
    public required ReadOnlyMemory<byte> Encoded { get; init; }

    /// <summary>What is signed: tbsCertificate with its tag.</summary>
    public required ReadOnlyMemory<byte> Signed { get; init; }

    /// <summary>How it is signed.</summary>
    public required SignatureAlgorithm SignatureAlgorithm { get; init; }

    /// <summary>The signature.</summary>
    public required ReadOnlyMemory<byte> Signature { get; init; }

    /// <summary>The serial number's content octets (shortest two's complement).</summary>
    public required ReadOnlyMemory<byte> SerialNumber { get; init; }

    /// <summary>The issuer's name, DER; names are equal if their bytes are.</summary>
    public required ReadOnlyMemory<byte> Issuer { get; init; }

    /// <summary>The subject's name, DER.</summary>
    public required ReadOnlyMemory<byte> Subject { get; init; }

    /// <summary>The issuer's common name; null unless it has exactly one.</summary>
    public required string? IssuerCommonName { get; init; }

    /// <summary>The subject's common name; null unless it has exactly one.</summary>
    public required string? SubjectCommonName { get; init; }

    /// <summary>Start of validity, inclusive.</summary>
    public required DateTimeOffset NotBefore { get; init; }

    /// <summary>End of validity, inclusive.</summary>
    public required DateTimeOffset NotAfter { get; init; }

    /// <summary>The public key as DER SubjectPublicKeyInfo.</summary>
    public required ReadOnlyMemory<byte> SubjectPublicKeyInfo { get; init; }

    /// <summary>The kind of the public key.</summary>
    public required PublicKeyKind KeyKind { get; init; }

    /// <summary>The public key's size in bits.</summary>
    public required int KeyBits { get; init; }

    /// <summary>Whether it says that it may issue certificates.</summary>
    public required bool IsAuthority { get; init; }

    /// <summary>How many intermediates may stand below it; null without a limit.</summary>
    public required int? PathLength { get; init; }

    /// <summary>The key usage's bits as RFC 5280, 4.2.1.3, numbers them (bit 0 = digitalSignature); null if absent.</summary>
    public required int? KeyUsage { get; init; }

    /// <summary>All extensions, in order; no identifier stands twice.</summary>
    public required ImmutableArray<CertificateExtension> Extensions { get; init; }

    /// <summary>Whether it may sign certificates as far as its key usage says.</summary>
    public bool MaySignCertificates => IsAuthority && (KeyUsage is not { } usage || (usage & 1 << 5) != 0);

    /// <summary>Whether it may sign revocation lists as far as its key usage says.</summary>
    public bool MaySignRevocationLists => KeyUsage is not { } usage || (usage & 1 << 6) != 0;

    /// <summary>Whether issuer and subject are the same name.</summary>
    public bool IsSelfIssued => Issuer.Span.SequenceEqual(Subject.Span);

    /// <summary>The value of an extension.</summary>
    /// <param name="oid">The object identifier's content octets.</param>
    /// <param name="value">The octets of its extnValue.</param>
    public bool TryGetExtension(ReadOnlySpan<byte> oid, out ReadOnlyMemory<byte> value)
    {
        foreach (CertificateExtension extension in Extensions)
        {
            if (!extension.Oid.Span.SequenceEqual(oid)) continue;
            value = extension.Value;
            return true;
        }
        value = default;
        return false;
    }
}
