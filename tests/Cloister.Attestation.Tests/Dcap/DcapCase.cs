using System.Collections.Immutable;
using System.Text.Json;
using Cloister.Attestation;
using Cloister.Attestation.Dcap;

namespace Cloister.Tests.Corpus;

/// <summary>What cases of TDX and SGX share: evidence, collateral, anchor, platform policy, and the call.</summary>
internal static class DcapCase
{
    /// <summary>The outcome of a case.</summary>
    /// <param name="Checks">Proof, then judgement.</param>
    /// <param name="Stated">What the evidence says as far as it could be read.</param>
    public sealed record Verdict(ImmutableArray<Check> Checks, Claims? Stated)
    {
        public bool Ok => Checks.All(check => check.Verdict == Attestation.Verdict.Passed);

        public Check? Failed => Checks.FirstOrDefault(check => check.Verdict == Attestation.Verdict.Failed);

        public string? Field(string name) => Stated?.Fields.GetValueOrDefault(name);
    }

    public static Verdict Run(AttestationCase one, TeeKind kind, IVerifier verifier, IAppraiser appraiser, TeePolicy policy, Func<DcapQuote, ReadOnlyMemory<byte>> reportData)
    {
        byte[] quote = one.File("quote")!;
        byte[]? collateral = one.File("collateral");
        var evidence = new Evidence(kind, quote, default, default, []);
        var endorsements = new Endorsements(collateral is null ? [] : [new Endorsement(DcapCollateral.EndorsementKind, collateral)]);
        var anchors = new Anchors([new Anchor(kind, "intel-sgx-root", one.File("root")!)]);
        Proof proof = verifier.Prove(evidence, ExpectedReportData(one, quote, reportData), endorsements, anchors, one.Time);
        ImmutableArray<Check> judged = proof.Claims is { } claims ? appraiser.Judge(claims, policy, one.Time) : CheckList.NotReached(appraiser.Plan);
        return new Verdict([.. proof.Checks, .. judged], proof.Stated);
    }

    public static bool SignatureOnly(AttestationCase one) => one.Flag("signature_only", false);

    public static TcbPolicy Tcb(AttestationCase one) => new(
        SignatureOnly(one) ? [TcbStatus.NotEvaluated] : [.. Texts(one, "accepted_tcb")!.Value.Select(Enum.Parse<TcbStatus>)],
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
