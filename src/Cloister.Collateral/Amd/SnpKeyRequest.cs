using System.Globalization;
using Cloister.Attestation;
using Cloister.Attestation.Certificates;
using Cloister.Attestation.SevSnp;

namespace Cloister.Collateral;

/// <summary>The certificate of the key that signs a platform's reports: VCEK or VLEK, DER.</summary>
public sealed record SnpKeyRequest : CollateralRequest
{
    /// <summary>Asks for a platform's certificate.</summary>
    public SnpKeyRequest(SnpPlatform platform) => Platform = platform;

    /// <summary>The platform.</summary>
    public SnpPlatform Platform { get; }

    /// <inheritdoc/>
    public override string Name
    {
        get
        {
            SnpTcb tcb = Platform.Tcb;
            string fmc = Platform.Product == SnpProduct.Turin ? string.Create(CultureInfo.InvariantCulture, $"fmc{tcb.Fmc}-") : "";
            string chip = Platform.HardwareId.Length == 0 ? "" : Platform.HardwareId + "/";
            return string.Create(CultureInfo.InvariantCulture, $"{SnpNames.Folder(Platform.Product, Platform.Key)}/{chip}{fmc}bl{tcb.Bootloader}-tee{tcb.Tee}-snp{tcb.Snp}-ucode{tcb.Microcode}.der");
        }
    }

    /// <inheritdoc/>
    public override string EndorsementKind => SnpEndorsements.SigningKey;

    internal override int MaximumSize => CertificateParser.MaximumSize;

    internal override Outcome<CollateralPeriod> Check(ReadOnlyMemory<byte> bytes)
    {
        Outcome<Certificate> parsed = CertificateParser.Parse(bytes);
        if (!parsed.TryGetValue(out Certificate? certificate)) return parsed.RefuseAs<CollateralPeriod>();
        string subject = Platform.Key == SnpSigningKey.Vlek ? "SEV-VLEK" : "SEV-VCEK", issuer = SnpNames.Authority(Platform.Product, Platform.Key);
        return certificate.SubjectCommonName == subject && certificate.IssuerCommonName == issuer
            ? Outcome.Accept(new CollateralPeriod(certificate.NotBefore, certificate.NotAfter))
            : Outcome.Refuse<CollateralPeriod>(Refusal.CertificateIssuerMismatch, "certificate", $"of {certificate.SubjectCommonName} by {certificate.IssuerCommonName}; asked was for {subject} by {issuer}");
    }
}
