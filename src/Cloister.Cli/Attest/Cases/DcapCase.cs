using System.Collections.Immutable;
using System.Text.Json;
using Cloister.Attestation;
using Cloister.Attestation.Dcap;

namespace Cloister.Cli.Attest.Cases;

/// <summary>What cases of TDX and SGX share: evidence, collateral, anchor, platform policy, and the call.</summary>
internal static class DcapCase
{
    public static CaseOutcome Run(AttestationCase one, TeeKind kind, IVerifier verifier, IAppraiser appraiser, TeePolicy policy, Func<DcapQuote, ReadOnlyMemory<byte>> reportData)
    {
        byte[] quote = one.NeededFile("quote");
        byte[]? collateral = one.File("collateral");
        var evidence = new Evidence(kind, quote, default, default, []);
        var endorsements = new Endorsements(collateral is null ? [] : [new Endorsement(DcapCollateral.EndorsementKind, collateral)]);
        var anchors = new Anchors([new Anchor(kind, "intel-sgx-root", one.NeededFile("root"))]);
        Proof proof = verifier.Prove(evidence, ExpectedReportData(one, quote, reportData), endorsements, anchors, one.Time);
        ImmutableArray<Check> judged = proof.Claims is { } claims ? appraiser.Judge(claims, policy, one.Time) : CheckList.NotReached(appraiser.Plan);
        return new CaseOutcome([.. proof.Checks, .. judged], proof.Stated);
    }

    public static bool SignatureOnly(AttestationCase one) => one.Flag("signature_only", false);

    public static TcbPolicy Tcb(AttestationCase one) => new(
        SignatureOnly(one) ? [TcbStatus.NotEvaluated] : [.. (Texts(one, "accepted_tcb") ?? throw new FormatException("The case does not say 'accepted_tcb'.")).Select(Enum.Parse<TcbStatus>)],
        Texts(one, "accepted_advisories"),
        one.Policy.TryGetProperty("min_tcb_evaluation_data_number", out JsonElement number) ? Requirement.AtLeast(number.GetInt64()) : Requirement.Any<long>(),
        0,
        true,
        true,
        true,
        TrailingBytes.Any);

    public static Requirement<string> Text(AttestationCase one, string name) => one.Input(name) is { } value ? Requirement.Exactly(value) : Requirement.Any<string>();

    /// <summary>A case that states no report data compares none: the quote's own is expected.</summary>
    private static ReadOnlyMemory<byte> ExpectedReportData(AttestationCase one, byte[] quote, Func<DcapQuote, ReadOnlyMemory<byte>> reportData) => one.Input("report_data") is { } hex
        ? Convert.FromHexString(hex)
        : QuoteLayout.Parse(quote).TryGetValue(out DcapQuote? parsed) ? reportData(parsed) : default;

    private static ImmutableArray<string>? Texts(AttestationCase one, string name) => one.Policy.TryGetProperty(name, out JsonElement list) && list.ValueKind == JsonValueKind.Array
        ? [.. list.EnumerateArray().Select(item => item.GetString()!)]
        : null;
}
