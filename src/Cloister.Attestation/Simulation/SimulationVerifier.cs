using System.Collections.Immutable;
using System.Security.Cryptography;

namespace Cloister.Attestation.Simulation;

/// <summary>
/// Proves that the holder of the stated host key signed a report for the expected report data. Whose key that is, and whether
/// simulation is wanted at all, is for the policy to say.
/// </summary>
public sealed class SimulationVerifier : IVerifier
{
    private static readonly ImmutableArray<PlannedCheck> Checks =
    [
        new("simulation.layout", "report"),
        new("simulation.event-log", "eventLog"),
        new("simulation.endorsements", "endorsements"),
        new("simulation.host-key", "report.hostKey"),
        new("simulation.signature", "report.signature"),
        new("simulation.report-data", "report.reportData"),
    ];

    /// <inheritdoc/>
    public TeeKind Kind => TeeKind.Simulation;

    /// <inheritdoc/>
    public ImmutableArray<PlannedCheck> Plan => Checks;

    /// <inheritdoc/>
    public Proof Prove(Evidence evidence, ReadOnlyMemory<byte> expectedReportData, Endorsements endorsements, Anchors anchors, VerificationTime time)
    {
        if (evidence.Kind != Kind) throw new ArgumentException($"This is {evidence.Kind} evidence.", nameof(evidence));
        var checks = new CheckList(Checks);
        Outcome<SimulationReport> parsed = SimulationLayout.Parse(evidence.Report.Span);
        if (!checks.Next("simulation.layout", parsed.IsAccepted, parsed.Refusal, $"{parsed.Field}: {parsed.Reason}", $"{evidence.Report.Length} bytes")) return Refused(checks);
        SimulationReport report = parsed.Value;
        if (!checks.Next("simulation.event-log", evidence.EventLog.IsEmpty, Refusal.EventLogUnexpected, "a simulator keeps no event log")) return Refused(checks);
        if (!checks.Next("simulation.endorsements", endorsements.Items.IsDefaultOrEmpty, Refusal.EndorsementUnexpected, "nobody endorses a simulator")) return Refused(checks);

        string hostKey = Convert.ToBase64String(report.HostKey.Span);
        using ECDsa? key = SimulationLayout.ImportHostKey(report.HostKey.Span);
        if (!checks.Next("simulation.host-key", key is not null, Refusal.SignerKeyInvalid, "the host key is not a P-256 SubjectPublicKeyInfo", hostKey)) return Refused(checks);
        ReadOnlySpan<byte> body = evidence.Report.Span[..^SimulationLayout.SignatureSize], signature = evidence.Report.Span[^SimulationLayout.SignatureSize..];
        bool signed = key!.VerifyData(SimulationLayout.Signed(body), signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        if (!checks.Next("simulation.signature", signed, Refusal.SignatureInvalid, "the report was changed, or another key signed it")) return Refused(checks);

        string reportData = Convert.ToHexStringLower(report.ReportData.Span);
        bool fresh = CryptographicOperations.FixedTimeEquals(report.ReportData.Span, expectedReportData.Span);
        if (!checks.Next("simulation.report-data", fresh, Refusal.ReportDataMismatch,
            "what was signed covers another role, nonce, key, runtime data or accompanying evidence", reportData, Convert.ToHexStringLower(expectedReportData.Span))) return Refused(checks);
        var fields = ImmutableDictionary.CreateRange(StringComparer.Ordinal,
        [
            KeyValuePair.Create(SimulationFields.HostKey, hostKey),
            KeyValuePair.Create(SimulationFields.Executable, report.Executable),
            KeyValuePair.Create(SimulationFields.ReportData, reportData),
        ]);
        return new Proof(checks.Finish(), new Claims(Kind, true, Convert.ToHexStringLower(report.Measurement.Span), fields));
    }

    private static Proof Refused(CheckList checks) => new(checks.Finish(), null);
}
