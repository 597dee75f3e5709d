using System.Collections.Immutable;
using Cloister.Attestation.Certificates;

namespace Cloister.Attestation.SevSnp;

/// <summary>What endorsements hold, read and sorted, unchecked. What cannot be read is a hint less, not a refusal, but the first reason is kept.</summary>
internal sealed class SnpCollateral
{
    private const int MaximumOfAKind = 8;

    private SnpCollateral()
    {
    }

    /// <summary>Signing keys' certificates that could be read.</summary>
    public List<SnpCertificate> SigningKeys { get; } = [];

    /// <summary>Certificates that may stand between a signing key and its root.</summary>
    public List<Certificate> Authorities { get; } = [];

    /// <summary>Revocation lists that could be read.</summary>
    public List<RevocationList> RevocationLists { get; } = [];

    /// <summary>Why the first signing key could not be read; null if all could.</summary>
    public Finding? UnreadableSigningKey { get; private set; }

    /// <summary>Why the first authority could not be read; null if all could.</summary>
    public Finding? UnreadableAuthority { get; private set; }

    /// <summary>Why the first revocation list could not be read; null if all could.</summary>
    public Finding? UnreadableRevocationList { get; private set; }

    public static SnpCollateral Read(Endorsements endorsements)
    {
        var collateral = new SnpCollateral();
        foreach (Endorsement endorsement in endorsements.Items.IsDefault ? [] : endorsements.Items)
        {
            if (endorsement.Kind != SnpEndorsements.CertificateTable)
                collateral.Add(endorsement);
            else
                foreach (Endorsement entry in SnpEndorsements.OfTable(endorsement.Bytes))
                    collateral.Add(entry);
        }
        return collateral;
    }

    /// <summary>The certificate to prove a report with: the first that fits it, otherwise the first of its kind, otherwise the first.</summary>
    public SnpCertificate? For(SnpReport report)
    {
        SnpCertificate? ofKind = null;
        foreach (SnpCertificate one in SigningKeys)
        {
            if (one.SubjectKind != report.SigningKey) continue;
            if (Fits(one, report)) return one;
            ofKind ??= one;
        }
        return ofKind ?? (SigningKeys.Count > 0 ? SigningKeys[0] : null);
    }

    private static bool Fits(SnpCertificate certificate, SnpReport report)
    {
        SnpProduct product = certificate.IssuingProduct;
        if (!certificate.Tcb(product).TryGetValue(out SnpTcb tcb) || !SnpTcb.TryDecode(report.ReportedTcb, product, out SnpTcb reported) || tcb != reported) return false;
        return report.SigningKey == SnpSigningKey.Vlek
            || !report.ChipId.Span.ContainsAnyExcept((byte)0)
            || certificate.HardwareId(product).TryGetValue(out ReadOnlyMemory<byte> chip) && report.ChipId.Span.StartsWith(chip.Span);
    }

    private void Add(Endorsement endorsement)
    {
        switch (endorsement.Kind)
        {
            case SnpEndorsements.SigningKey when SigningKeys.Count < MaximumOfAKind:
                Outcome<Certificate> key = CertificateParser.ParseAny(endorsement.Bytes);
                if (key.IsAccepted) SigningKeys.Add(new SnpCertificate(key.Value));
                else UnreadableSigningKey ??= new Finding(key.Refusal, key.Field, key.Reason);
                break;
            case SnpEndorsements.Authorities when Authorities.Count < MaximumOfAKind:
                AddAuthorities(endorsement.Bytes);
                break;
            case SnpEndorsements.RevocationList when RevocationLists.Count < MaximumOfAKind:
                Outcome<RevocationList> list = CrlParser.Parse(endorsement.Bytes);
                if (list.IsAccepted) RevocationLists.Add(list.Value);
                else UnreadableRevocationList ??= new Finding(list.Refusal, list.Field, list.Reason);
                break;
            default: break; // of another kind, or more than anybody needs
        }
    }

    private void AddAuthorities(ReadOnlyMemory<byte> bytes)
    {
        Outcome<ImmutableArray<Certificate>> read = bytes.Length > 0 && bytes.Span[0] == DerReader.Sequence
            ? CertificateParser.Parse(bytes) is { IsAccepted: true } one ? Outcome.Accept<ImmutableArray<Certificate>>([one.Value]) : CertificateParser.Parse(bytes).RefuseAs<ImmutableArray<Certificate>>()
            : CertificateParser.ParsePem(bytes.Span);
        if (!read.IsAccepted) UnreadableAuthority ??= new Finding(read.Refusal, read.Field, read.Reason);
        else Authorities.AddRange(read.Value.Where(certificate => !certificate.IsSelfIssued).Take(MaximumOfAKind - Authorities.Count));
    }
}
