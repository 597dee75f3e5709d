using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Cloister.Attestation.Certificates;

namespace Cloister.Attestation.SevSnp;

/// <summary>
/// Proves that a genuine AMD processor signed a report, up to AMD's root (AMD 56860, 57230). What the report says is for
/// <see cref="SnpAppraiser"/> to judge. Reads revocation lists where there are any; the policy says whether there must be one.
/// Thread-safe.
/// </summary>
public sealed class SnpVerifier : IVerifier
{
    private const int ReportDataSize = 64, CoordinateBytes = 48;

    private static readonly ImmutableArray<PlannedCheck> Genuine =
    [
        new("format", "report"),
        new("product", "report.cpuid"),
        new("signing_key", "report.signingKey"),
        new("chain", "endorsements.vek"),
        new("chain.expired", "endorsements.vek"),
        new("crl", "endorsements.crl"),
        new("crl.expired", "endorsements.crl"),
        new("revoked", "endorsements.crl"),
        new("chip_id", "report.chipId"),
        new("tcb.cert_mismatch", "report.reportedTcb"),
        new("signature", "report.signature"),
    ];

    private static readonly ImmutableArray<PlannedCheck> GenuineAndFresh = Genuine.Add(new PlannedCheck("report_data", "report.reportData"));

    private readonly ConditionalWeakTable<Anchors, SnpRoots> _roots = [];
    private readonly SignatureChecker _signatures;

    /// <summary>Makes a verifier.</summary>
    /// <param name="signatures">Remembers signatures and keys that were checked before; may be shared. Null for one of its own.</param>
    public SnpVerifier(SignatureChecker? signatures = null) => _signatures = signatures ?? new SignatureChecker();

    /// <inheritdoc/>
    public TeeKind Kind => TeeKind.SevSnp;

    /// <inheritdoc/>
    public ImmutableArray<PlannedCheck> Plan => GenuineAndFresh;

    /// <inheritdoc/>
    public Proof Prove(Evidence evidence, ReadOnlyMemory<byte> expectedReportData, Endorsements endorsements, Anchors anchors, VerificationTime time)
    {
        if (evidence.Kind != Kind) throw new ArgumentException($"This is {evidence.Kind} evidence.", nameof(evidence));
        if (expectedReportData.Length != ReportDataSize) throw new ArgumentException($"Report data have {ReportDataSize} bytes.", nameof(expectedReportData));
        return Prove(evidence.Report, endorsements, anchors, time, false, new CheckList(GenuineAndFresh), expectedReportData);
    }

    /// <summary>Proves a bare report, fresh or not: who accepts it must judge its report data (<see cref="SnpPolicy.ReportData"/>).</summary>
    /// <param name="report">The report's bytes.</param>
    /// <param name="endorsements">Unchecked endorsements (<see cref="SnpEndorsements"/>).</param>
    /// <param name="anchors">Roots of trust.</param>
    /// <param name="time">When certificates and lists must be valid.</param>
    /// <param name="revocationRequired">Whether a revocation list must be at hand.</param>
    public Proof ProveReport(ReadOnlyMemory<byte> report, Endorsements endorsements, Anchors anchors, VerificationTime time, bool revocationRequired) =>
        Prove(report, endorsements, anchors, time, revocationRequired, new CheckList(Genuine), null);

    private Proof Prove(ReadOnlyMemory<byte> bytes, Endorsements endorsements, Anchors anchors, VerificationTime time, bool revocationRequired, CheckList checks, ReadOnlyMemory<byte>? reportData)
    {
        Outcome<SnpReport> parsed = SnpLayout.Parse(bytes);
        if (!checks.Next("format", parsed.IsAccepted, parsed.Refusal, $"{parsed.Field}: {parsed.Reason}", $"{bytes.Length} bytes")) return Refused(checks);
        SnpReport report = parsed.Value;
        SnpCollateral collateral = SnpCollateral.Read(endorsements);
        SnpCertificate? key = collateral.For(report);
        SnpRoots roots = _roots.GetValue(anchors, SnpRoots.From);

        if (!CheckProduct(checks, report, key, out SnpProduct product) || !CheckSigningKey(checks, report, key, collateral)) return Refused(checks, report, product);
        if (key is null)
        {
            Fail(checks, "chain", collateral.UnreadableSigningKey!); // were it missing, the check of the signing key would have said so
            return Refused(checks, report, product);
        }
        if (!Next(checks, "chain", SnpChain.Find(key, product, collateral, roots, _signatures, out Certificate[] chain), string.Join(" < ", chain.Select(CertificateChainCheck.Name)))
            || !Next(checks, "chain.expired", CertificateChainCheck.Dates(chain, time), DateOf(time))
            || !CheckRevocation(checks, collateral, chain, time, revocationRequired, out bool revocationChecked)
            || !CheckChip(checks, report, key, product)
            || !CheckTcb(checks, report, key, product)
            || !checks.Next("signature", IsSigned(report, key.Certificate), Refusal.SignatureInvalid, "the report was changed, or another key signed it")) return Refused(checks, report, product);
        if (reportData is { } expected && !checks.Next("report_data", CryptographicOperations.FixedTimeEquals(report.ReportData.Span, expected.Span), Refusal.ReportDataMismatch,
            "what was signed covers another role, nonce, key, runtime data or accompanying evidence", SnpClaims.Hex(report.ReportData), SnpClaims.Hex(expected))) return Refused(checks, report, product);
        return new Proof(checks.Finish(), SnpClaims.Of(report, product, report.SigningKey == SnpSigningKey.Vlek ? key.ProviderId : null, revocationChecked));
    }

    private static bool CheckProduct(CheckList checks, SnpReport report, SnpCertificate? key, out SnpProduct product)
    {
        bool states = report.Version >= 3;
        product = states ? SnpProducts.OfProcessor(report.Family, report.Model) : SnpProduct.None;
        string stated = states ? $"family 0x{report.Family:x2} model 0x{report.Model:x2} stepping {report.Stepping}" : $"not stated in version {report.Version}";
        if (states && product == SnpProduct.None) return checks.Fail("product", Refusal.SnpProductUnknown, "this version does not know the processor: update, or it is forged", stated);
        if (key is null) return checks.Pass("product", stated); // the checks that follow say what is the matter with the certificate
        SnpProduct issuing = key.IssuingProduct, named = key.NamedProduct == SnpProduct.None ? issuing : key.NamedProduct;
        string certified = $"{CertificateChainCheck.Name(key.Certificate)} of {named}, issued by {key.Certificate.IssuerCommonName}";
        if (named != issuing) return checks.Fail("product", Refusal.SnpProductMismatch, "the certificate names one product and is issued by another's authority", stated, certified);
        if (product == SnpProduct.None) product = issuing;
        if (product == SnpProduct.None) return checks.Fail("product", Refusal.SnpProductUnknown, "neither report nor certificate names a product that is known", stated, certified);
        return issuing == SnpProduct.None
            ? checks.Pass("product", stated)
            : checks.Next("product", issuing == product, Refusal.SnpProductMismatch, $"the report is by {product}, the certificate is for {issuing}", stated, certified);
    }

    private static bool CheckSigningKey(CheckList checks, SnpReport report, SnpCertificate? key, SnpCollateral collateral)
    {
        string name = SnpClaims.NameOf(report.SigningKey);
        if (report.SigningKey == SnpSigningKey.None) return checks.Fail("signing_key", Refusal.SnpNotSigned, "the report says that no key signed it", name);
        if (key is null)
            return checks.Next("signing_key", collateral.UnreadableSigningKey is not null, Refusal.CollateralMissing, $"there is no certificate for it: fetch the {name} of this chip and TCB from AMD's key distribution service", name);
        if (key.SubjectKind != report.SigningKey)
            return checks.Fail("signing_key", Refusal.SnpSigningKeyMismatch, $"the report is signed by a {name}, the certificate is of {CertificateChainCheck.Name(key.Certificate)}", name);
        bool plain = report.SigningKey == SnpSigningKey.Vcek ? key.ProviderId is null : key.ProviderId is not null && !key.HasHardwareId;
        return checks.Next("signing_key", plain, Refusal.CertificateExtension, "a VCEK names a chip and no provider, a VLEK a provider and no chip", name);
    }

    private bool CheckRevocation(CheckList checks, SnpCollateral collateral, Certificate[] chain, VerificationTime time, bool required, out bool isChecked)
    {
        isChecked = false;
        Certificate root = chain[^1];
        Finding? foreign = collateral.UnreadableRevocationList, late = null, revoked = null;
        RevocationList? current = null;
        foreach (RevocationList list in collateral.RevocationLists)
        {
            if (RevocationCheck.Issuer(list, root, _signatures) is { } notOurs)
            {
                foreign ??= notOurs;
                continue;
            }
            // What AMD revoked stays revoked, so a list that is out of date still counts for what it lists.
            revoked ??= RevocationCheck.Entries(list, chain.AsSpan(0, 2));
            if (RevocationCheck.Dates(list, time) is { } outdated) late ??= outdated;
            else current ??= list;
        }
        if (current is null && late is null)
        {
            if (foreign is not null) return Fail(checks, "crl", foreign);
            if (required) return checks.Fail("crl", Refusal.CollateralMissing, $"there is no revocation list and the policy wants one: fetch AMD's of {root.SubjectCommonName}");
            return checks.Pass("crl", "none at hand") && checks.Pass("crl.expired") && checks.Pass("revoked", "not checked");
        }
        checks.Pass("crl", $"of {root.SubjectCommonName}");
        if (current is null) return Fail(checks, "crl.expired", late!);
        checks.Pass("crl.expired", $"next {current.NextUpdate:u}");
        isChecked = true;
        return Next(checks, "revoked", revoked, $"{current.Count} revoked");
    }

    private static bool CheckChip(CheckList checks, SnpReport report, SnpCertificate key, SnpProduct product)
    {
        string shown = SnpClaims.Hex(report.ChipId);
        if (report.SigningKey == SnpSigningKey.Vlek) return checks.Pass("chip_id", shown, "a VLEK belongs to no chip");
        Outcome<ReadOnlyMemory<byte>> certified = key.HardwareId(product);
        if (!certified.TryGetValue(out ReadOnlyMemory<byte> chip)) return checks.Fail("chip_id", certified.Refusal, $"{certified.Field}: {certified.Reason}", shown);
        ReadOnlySpan<byte> stated = report.ChipId.Span;
        // The host may mask the chip's identity; the certificate, whose key signed, still says which chip it is.
        if (!stated.ContainsAnyExcept((byte)0)) return checks.Pass("chip_id", "masked by the host", SnpClaims.Hex(chip));
        return checks.Next("chip_id", stated.StartsWith(chip.Span) && !stated[chip.Length..].ContainsAnyExcept((byte)0), Refusal.SnpChipMismatch,
            "the certificate is of another chip", shown, SnpClaims.Hex(chip));
    }

    private static bool CheckTcb(CheckList checks, SnpReport report, SnpCertificate key, SnpProduct product)
    {
        Outcome<SnpTcb> certified = key.Tcb(product);
        bool clean = SnpTcb.TryDecode(report.ReportedTcb, product, out SnpTcb reported);
        if (!certified.TryGetValue(out SnpTcb tcb)) return checks.Fail("tcb.cert_mismatch", certified.Refusal, $"{certified.Field}: {certified.Reason}", $"{reported}");
        if (!clean) return checks.Fail("tcb.cert_mismatch", Refusal.SnpReservedNotZero, $"a reserved byte of the TCB is not zero: this is not a TCB of {product}", SnpClaims.Hex(report.ReportedTcb.ToArray()), $"{tcb}");
        return checks.Next("tcb.cert_mismatch", tcb == reported, Refusal.SnpTcbMismatch, "the certificate is for another TCB: fetch that of the reported one", $"{reported}", $"{tcb}");
    }

    private bool IsSigned(SnpReport report, Certificate key)
    {
        Span<byte> signature = stackalloc byte[2 * CoordinateBytes];
        return TryToBigEndian(report.SignatureR, signature[..CoordinateBytes]) && TryToBigEndian(report.SignatureS, signature[CoordinateBytes..])
            && _signatures.Verify(key, SignatureAlgorithm.EcdsaSha384, report.Signed, signature, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    // AMD writes 72 little-endian bytes, of which 24 must be zero. Values from the curve's order on are refused by ECDSA itself, never reduced.
    private static bool TryToBigEndian(ReadOnlySpan<byte> littleEndian, Span<byte> bigEndian)
    {
        littleEndian[..CoordinateBytes].CopyTo(bigEndian);
        bigEndian.Reverse();
        return !littleEndian[CoordinateBytes..].ContainsAnyExcept((byte)0);
    }

    private static string DateOf(VerificationTime time) => time.Instant is { } now ? $"{now:u}" : "time is not checked";

    private static bool Next(CheckList checks, string id, Finding? finding, string? value) => finding is null ? checks.Pass(id, value) : Fail(checks, id, finding);

    private static bool Fail(CheckList checks, string id, Finding finding) => checks.Fail(id, finding.Refusal, $"{finding.Field}: {finding.Reason}");

    /// <summary>A refusal states what was read, so that it can be explained.</summary>
    private static Proof Refused(CheckList checks, SnpReport? report = null, SnpProduct product = SnpProduct.None) => new(checks.Finish(), null)
    {
        Stated = report is null ? null : SnpClaims.Of(report, product, null, false),
    };
}
