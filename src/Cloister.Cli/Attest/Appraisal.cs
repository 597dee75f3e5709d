using System.Collections.Immutable;
using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.SevSnp;
using Cloister.Attestation.Sgx;
using Cloister.Attestation.Tdx;
using Cloister.Attestation.Tpm;

namespace Cloister.Cli.Attest;

/// <summary>What became of bare evidence.</summary>
/// <param name="Result">Every check that was made.</param>
/// <param name="Claims">What was proven; null if it was refused before.</param>
/// <param name="Stated">What the evidence says, proven or not; null if it could not be read.</param>
/// <param name="Fresh">Whether it was compared with a nonce or report data.</param>
/// <param name="Judged">Whether there was a policy.</param>
internal sealed record Appraisal(AttestationResult Result, Claims? Claims, Claims? Stated, bool Fresh, bool Judged)
{
    private const string Unreadable = "format";

    /// <summary>Whether the evidence was refused because its bytes, or those of what goes with it, cannot be read.</summary>
    public bool IsUnreadable => Result.Refused?.Id == Unreadable;

    /// <summary>What was proven, in words. A TPM's quote is worth what is known of its key.</summary>
    public string Proven => Claims is { Kind: TeeKind.Tpm } tpm && !tpm.Fields.ContainsKey(TpmFields.CertificateSubject) && !Judged
        ? "signed by the stated key, of which nothing here says that a TPM holds it"
        : "genuine";

    /// <summary>Proves evidence, and judges it if there is a policy.</summary>
    /// <param name="given">The evidence.</param>
    /// <param name="policy">What is accepted; null to prove only.</param>
    /// <param name="time">When certificates must be valid.</param>
    /// <param name="signatureOnly">For Intel's quotes: whether to leave out all that needs collateral.</param>
    public static Appraisal Of(GivenEvidence given, PackagePolicy? policy, VerificationTime time, bool signatureOnly = false)
    {
        bool fresh = given.ReportData is not null;
        Proof proof = given.Kind switch
        {
            TeeKind.SevSnp when given.ReportData is null => new SnpVerifier().ProveReport(given.Evidence.Report, given.Endorsements, given.Anchors, time, false),
            TeeKind.SevSnp => Prove(new SnpVerifier()),
            TeeKind.Tdx => Prove(signatureOnly ? TdxVerifier.SignatureOnly() : new TdxVerifier()),
            TeeKind.Sgx => Prove(signatureOnly ? SgxVerifier.SignatureOnly() : new SgxVerifier()),
            TeeKind.Tpm => Prove(new TpmVerifier()),
            _ => throw new ArgumentOutOfRangeException(nameof(given), given.Kind, "No verifier."),
        };
        // Evidence that is compared with its own nonce was not compared: a check that cannot fail is not listed.
        ImmutableArray<Check> checks = fresh ? proof.Checks : [.. proof.Checks.Where(check => check.Id is not ("report_data" or "nonce"))];
        if (policy is not null && proof.Claims is { } proven)
            checks = [.. checks, .. VerifierRegistry.CreateDefault().Judge(policy, [proven], time)];
        return new Appraisal(new AttestationResult(checks, proof.Claims is { } claims ? [claims] : [], false), proof.Claims, proof.Claims ?? proof.Stated, fresh, policy is not null);

        Proof Prove(IVerifier verifier) => verifier.Prove(given.Evidence, given.ReportData ?? Own(given.Evidence), given.Endorsements, given.Anchors, time);
    }

    /// <summary>The report data or nonce that the evidence itself states.</summary>
    private static ReadOnlyMemory<byte> Own(Evidence evidence)
    {
        const int reportData = 64;
        if (evidence.Kind == TeeKind.Tpm)
            return TpmReport.Parse(evidence.Report).TryGetValue(out TpmReport? report) && TpmLayout.ParseAttest(report.Attest).TryGetValue(out TpmAttest? attest) ? attest.ExtraData : default;
        if (!QuoteLayout.Parse(evidence.Report).TryGetValue(out DcapQuote? quote)) return new byte[reportData];
        return quote.BodyKind == QuoteBodyKind.Enclave ? new EnclaveReport(quote.Body).ReportData : new TdReport(quote.Body).ReportData;
    }
}
