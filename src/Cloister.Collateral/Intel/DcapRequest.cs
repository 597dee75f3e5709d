using System.Collections.Immutable;
using Cloister.Attestation;
using Cloister.Attestation.Certificates;
using Cloister.Attestation.Dcap;

namespace Cloister.Collateral;

/// <summary>All that Intel publishes for a kind of platform, as one <see cref="DcapCollateral"/> in its JSON form.</summary>
public sealed record DcapRequest : CollateralRequest
{
    private const string Root = "Intel SGX Root CA";

    /// <summary>Asks for a platform's collateral.</summary>
    public DcapRequest(DcapPlatform platform) => Platform = platform;

    /// <summary>The platform.</summary>
    public DcapPlatform Platform { get; }

    /// <inheritdoc/>
    public override string Name => $"dcap/{Tee}/{Platform.Fmspc}-{Ca}.json";

    /// <inheritdoc/>
    public override string EndorsementKind => DcapCollateral.EndorsementKind;

    /// <summary><c>tdx</c> or <c>sgx</c>.</summary>
    internal string Tee => Platform.Kind == TeeKind.Tdx ? "tdx" : "sgx";

    /// <summary><c>platform</c> or <c>processor</c>.</summary>
    internal string Ca => Platform.Authority == PckAuthority.Platform ? "platform" : "processor";

    // What DcapCollateral reads at most.
    internal override int MaximumSize => 1 << 20;

    internal override Outcome<CollateralPeriod> Check(ReadOnlyMemory<byte> bytes)
    {
        Outcome<DcapCollateral> parsed = DcapCollateral.Parse(bytes);
        if (!parsed.TryGetValue(out DcapCollateral? collateral)) return parsed.RefuseAs<CollateralPeriod>();
        bool tdx = Platform.Kind == TeeKind.Tdx;
        Outcome<TcbInfo> info = TcbInfoReader.Parse(collateral.TcbInfo);
        if (!info.IsAccepted) return info.RefuseAs<CollateralPeriod>();
        if (Convert.ToHexStringLower(info.Value.Fmspc.Span) != Platform.Fmspc) return Refuse(Refusal.TcbInfoMalformed, "tcb_info.fmspc", $"{Convert.ToHexStringLower(info.Value.Fmspc.Span)}; asked was for {Platform.Fmspc}");
        if (info.Value.IsTdx != tdx) return Refuse(Refusal.TcbInfoMalformed, "tcb_info.id", $"is not for {Tee}");
        Outcome<QeIdentity> identity = QeIdentity.Parse(collateral.QeIdentity);
        if (!identity.IsAccepted) return identity.RefuseAs<CollateralPeriod>();
        if (identity.Value.IsTdx != tdx) return Refuse(Refusal.QeIdentityMalformed, "qe_identity.id", $"is not for {Tee}");

        CollateralPeriod period = new CollateralPeriod(info.Value.IssueDate, info.Value.NextUpdate).And(identity.Value.IssueDate, identity.Value.NextUpdate);
        return List(collateral.RootCrl, "root_ca_crl", Root, ref period)
            ?? List(collateral.PckCrl, "pck_crl", Platform.AuthorityName, ref period)
            ?? Chain(collateral.TcbInfoIssuerChain, "tcb_info_issuer_chain", ref period)
            ?? Chain(collateral.QeIdentityIssuerChain, "qe_identity_issuer_chain", ref period)
            ?? (collateral.PckCrlIssuerChain.IsEmpty ? null : Chain(collateral.PckCrlIssuerChain, "pck_crl_issuer_chain", ref period))
            ?? Outcome.Accept(period);
    }

    private static Outcome<CollateralPeriod>? List(ReadOnlyMemory<byte> der, string field, string issuer, ref CollateralPeriod period)
    {
        Outcome<RevocationList> parsed = CrlParser.Parse(der);
        if (!parsed.TryGetValue(out RevocationList? list)) return Refuse(parsed.Refusal, field, parsed.Reason);
        if (list.IssuerCommonName != issuer) return Refuse(Refusal.CertificateIssuerMismatch, field, $"by {list.IssuerCommonName}; asked was for one by {issuer}");
        period = period.And(list.ThisUpdate, list.NextUpdate);
        return null;
    }

    private static Outcome<CollateralPeriod>? Chain(ReadOnlyMemory<byte> pem, string field, ref CollateralPeriod period)
    {
        Outcome<ImmutableArray<Certificate>> parsed = CertificateParser.ParsePem(pem.Span);
        if (!parsed.IsAccepted) return Refuse(parsed.Refusal, field, parsed.Reason);
        foreach (Certificate one in parsed.Value)
            period = period.And(one.NotBefore, one.NotAfter);
        return null;
    }

    private static Outcome<CollateralPeriod> Refuse(Refusal refusal, string field, string reason) => Outcome.Refuse<CollateralPeriod>(refusal, field, reason);
}
