using System.Collections.Immutable;
using System.Net;

namespace Cloister.Protocol.Certificates;

/// <summary>
/// What a manifest says about the certificate of a secret: the members of Go's <c>x509.Certificate</c> that have an effect where
/// MarbleRun makes one. Serial number, beginning and issuer are not among them: the coordinator decides those.
/// </summary>
public sealed record CertificateTemplate
{
    /// <summary>A template that says nothing.</summary>
    public static CertificateTemplate Empty { get; } = new();

    /// <summary>Subject.</summary>
    public CertificateName Subject { get; init; } = CertificateName.Empty;
    /// <summary>Subject as DER; where it is not empty it stands instead of <see cref="Subject"/>.</summary>
    public ReadOnlyMemory<byte> RawSubject { get; init; }
    /// <summary>End of validity; null where the manifest's <c>ValidFor</c> or the default decides.</summary>
    public DateTimeOffset? NotAfter { get; init; }
    /// <summary>Go's numbers: 0 = the signing key's usual one, 10 to 12 = ECDSA with SHA-256, -384, -512.</summary>
    public long SignatureAlgorithm { get; init; }

    /// <summary>DNS names; null where not given, which is not the same as none.</summary>
    public ImmutableArray<string>? DnsNames { get; init; }
    /// <summary>IP addresses; null where not given. A null element is one that Go reads as empty.</summary>
    public ImmutableArray<IPAddress?>? IpAddresses { get; init; }
    /// <summary>E-mail addresses.</summary>
    public ImmutableArray<string> EmailAddresses { get; init; } = [];
    /// <summary>URIs.</summary>
    public ImmutableArray<string> Uris { get; init; } = [];

    /// <summary>Go's bits: bit 0 = digital signature to bit 8 = decipher only; 0 = not given.</summary>
    public long KeyUsage { get; init; }
    /// <summary>Go's numbers of extended key usages; null where not given.</summary>
    public ImmutableArray<long>? ExtKeyUsage { get; init; }
    /// <summary>Further extended key usages, dotted.</summary>
    public ImmutableArray<string> UnknownExtKeyUsage { get; init; } = [];
    /// <summary>Whether its key may sign certificates.</summary>
    public bool IsCa { get; init; }
    /// <summary>Length of the path below a CA; -1, and 0 unless <see cref="MaxPathLenZero"/>, mean that it is not limited.</summary>
    public long MaxPathLen { get; init; }
    /// <summary>Whether a <see cref="MaxPathLen"/> of 0 is meant.</summary>
    public bool MaxPathLenZero { get; init; }

    /// <summary>Key identifier of the subject.</summary>
    public ReadOnlyMemory<byte> SubjectKeyId { get; init; }
    /// <summary>Key identifier of the issuer; counts only where issuer and subject have the same name.</summary>
    public ReadOnlyMemory<byte> AuthorityKeyId { get; init; }
    /// <summary>OCSP responders.</summary>
    public ImmutableArray<string> OcspServer { get; init; } = [];
    /// <summary>Where the issuer's certificate is.</summary>
    public ImmutableArray<string> IssuingCertificateUrl { get; init; } = [];
    /// <summary>Where revocation lists are.</summary>
    public ImmutableArray<string> CrlDistributionPoints { get; init; } = [];
    /// <summary>Certificate policies, dotted.</summary>
    public ImmutableArray<string> Policies { get; init; } = [];

    /// <summary>Whether name constraints are critical.</summary>
    public bool PermittedDnsDomainsCritical { get; init; }
    /// <summary>Names that certificates below may have.</summary>
    public CertificateNameConstraints Permitted { get; init; } = CertificateNameConstraints.Empty;
    /// <summary>Names that certificates below must not have.</summary>
    public CertificateNameConstraints Excluded { get; init; } = CertificateNameConstraints.Empty;

    /// <summary>Extensions as they are; one of them stands instead of what else would make it.</summary>
    public ImmutableArray<CertificateExtension> ExtraExtensions { get; init; } = [];

    /// <summary>The template with what MarbleRun adds where the manifest is silent: localhost and its addresses, usages, a common name.</summary>
    public CertificateTemplate WithDefaults()
    {
        CertificateTemplate full = this with
        {
            DnsNames = DnsNames ?? ["localhost"],
            IpAddresses = IpAddresses ?? [IPAddress.Loopback, IPAddress.IPv6Loopback],
            KeyUsage = KeyUsage != 0 ? KeyUsage : CertificateUsages.DigitalSignature | CertificateUsages.CertSign,
            ExtKeyUsage = ExtKeyUsage ?? [CertificateUsages.ServerAuth, CertificateUsages.ClientAuth],
        };
        if (full.Subject.CommonName.Length != 0) return full;
        string name = full.DnsNames is [var only] ? only : "MarbleRun Generated Certificate";
        return full with { Subject = full.Subject with { CommonName = name } };
    }
}

/// <summary>An extension as it is.</summary>
/// <param name="Id">Dotted.</param>
/// <param name="Critical">Whether it is critical.</param>
/// <param name="Value">Content of its octet string.</param>
public sealed record CertificateExtension(string Id, bool Critical, ReadOnlyMemory<byte> Value);

/// <summary>Constraints on the names of certificates below a CA.</summary>
public sealed record CertificateNameConstraints
{
    /// <summary>No constraint.</summary>
    public static CertificateNameConstraints Empty { get; } = new();

    /// <summary>DNS domains.</summary>
    public ImmutableArray<string> DnsDomains { get; init; } = [];
    /// <summary>Ranges of addresses.</summary>
    public ImmutableArray<CertificateIpRange> IpRanges { get; init; } = [];
    /// <summary>E-mail addresses or their domains.</summary>
    public ImmutableArray<string> EmailAddresses { get; init; } = [];
    /// <summary>Domains of URIs.</summary>
    public ImmutableArray<string> UriDomains { get; init; } = [];

    /// <summary>Whether there is none.</summary>
    public bool IsEmpty => DnsDomains.IsEmpty && IpRanges.IsEmpty && EmailAddresses.IsEmpty && UriDomains.IsEmpty;
}

/// <summary>A range of addresses.</summary>
/// <param name="Address">Any address in it; null where it is empty.</param>
/// <param name="Mask">4 or 16 bytes, ones first.</param>
public sealed record CertificateIpRange(IPAddress? Address, ReadOnlyMemory<byte> Mask);
