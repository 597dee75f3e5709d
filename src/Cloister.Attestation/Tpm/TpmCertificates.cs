using System.Collections.Immutable;
using Cloister.Attestation.Certificates;

namespace Cloister.Attestation.Tpm;

/// <summary>Checks certificates of attestation keys and endorsement keys up to an anchor (TCG EK Credential Profile 2.5; TCG AIK certificate profile).</summary>
internal static class TpmCertificates
{
    /// <summary>Most intermediates that are looked through.</summary>
    public const int MaximumIntermediates = 16;

    private const int MaximumDepth = 5, DigitalSignature = 1 << 0, KeyEncipherment = 1 << 2, KeyAgreement = 1 << 4;

    // tcg-kp-EKCertificate and tcg-kp-AIKCertificate, 2.23.133.8.1 and .3.
    private static ReadOnlySpan<byte> EkUsage => [0x67, 0x81, 0x05, 0x08, 0x01];

    private static ReadOnlySpan<byte> AkUsage => [0x67, 0x81, 0x05, 0x08, 0x03];

    /// <summary>Whether a certificate is one of an attestation key, and holds at the time. Null if so.</summary>
    public static Finding? CheckAttestationKey(Certificate leaf, ImmutableArray<Certificate> intermediates, ImmutableArray<Certificate> roots, SignatureChecker signatures, VerificationTime time)
    {
        if (leaf.IsAuthority) return new Finding(Refusal.TpmCertificateProfile, "ak certificate", "it is an authority's");
        if (leaf.KeyUsage is not { } usage || (usage & DigitalSignature) == 0) return new Finding(Refusal.TpmCertificateProfile, "ak certificate", "its key is not for signatures");
        if (ReadUsages(leaf) is not { } usages) return new Finding(Refusal.TpmCertificateProfile, "ak certificate", "its extended key usage is not of its form");
        if (!usages.IsEmpty && !Has(usages, AkUsage)) return new Finding(Refusal.TpmCertificateProfile, "ak certificate", "its extended key usage is not that of an attestation key");
        return CheckChain(leaf, intermediates, roots, signatures, time);
    }

    /// <summary>Whether a certificate is one of an endorsement key, and holds at the time. Null if so.</summary>
    public static Finding? CheckEndorsementKey(Certificate leaf, ImmutableArray<Certificate> intermediates, ImmutableArray<Certificate> roots, SignatureChecker signatures, VerificationTime time)
    {
        if (leaf.IsAuthority) return new Finding(Refusal.TpmCertificateProfile, "ek certificate", "it is an authority's");
        int wanted = leaf.KeyKind == PublicKeyKind.Rsa ? KeyEncipherment : KeyAgreement;
        if (leaf.KeyUsage is not { } usage || (usage & wanted) == 0 || (usage & DigitalSignature) != 0) return new Finding(Refusal.TpmCertificateProfile, "ek certificate", "its key is not for the exchange of keys alone");
        if (ReadUsages(leaf) is not { } usages || !Has(usages, EkUsage)) return new Finding(Refusal.TpmCertificateProfile, "ek certificate", "its extended key usage is not that of an endorsement key");
        return CheckChain(leaf, intermediates, roots, signatures, time);
    }

    private static Finding? CheckChain(Certificate leaf, ImmutableArray<Certificate> intermediates, ImmutableArray<Certificate> roots, SignatureChecker signatures, VerificationTime time)
    {
        var chain = new List<Certificate>(MaximumDepth) { leaf };
        while (true)
        {
            Certificate last = chain[^1];
            if (roots.FirstOrDefault(root => Issued(root, last, signatures)) is { } anchor)
            {
                chain.Add(anchor);
                Certificate[] ordered = [.. chain];
                return CertificateChainCheck.Links(ordered, signatures) ?? CertificateChainCheck.Dates(ordered, time);
            }
            if (chain.Count == MaximumDepth || intermediates.FirstOrDefault(one => !one.IsSelfIssued && Issued(one, last, signatures)) is not { } next)
                return new Finding(Refusal.ChainUntrusted, CertificateChainCheck.Name(last), $"issued by {last.IssuerCommonName}: no certificate at hand leads from there to an anchor");
            chain.Add(next);
        }
    }

    private static bool Issued(Certificate issuer, Certificate subject, SignatureChecker signatures) =>
        subject.Issuer.Span.SequenceEqual(issuer.Subject.Span) && signatures.Holds(subject, issuer);

    /// <summary>The extended key usages; empty if there is no such extension, null if it is out of form.</summary>
    private static ImmutableArray<ReadOnlyMemory<byte>>? ReadUsages(Certificate certificate)
    {
        if (!certificate.TryGetExtension(Oids.ExtendedKeyUsage, out ReadOnlyMemory<byte> value)) return [];
        var reader = new DerReader(value);
        if (!reader.TryReadInto(DerReader.Sequence, out DerReader list) || !reader.IsEmpty || list.IsEmpty) return null;
        var usages = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>();
        while (!list.IsEmpty)
        {
            if (!list.TryRead(DerReader.ObjectIdentifier, out ReadOnlyMemory<byte> usage)) return null;
            usages.Add(usage);
        }
        return usages.ToImmutable();
    }

    private static bool Has(ImmutableArray<ReadOnlyMemory<byte>> usages, ReadOnlySpan<byte> wanted)
    {
        foreach (ReadOnlyMemory<byte> usage in usages)
            if (usage.Span.SequenceEqual(wanted)) return true;
        return false;
    }
}
