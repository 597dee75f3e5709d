using System.Collections.Immutable;
using System.Text.Json;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;
using Cloister.Attestation.Tpm.EventLog;
using Cloister.Tests.Corpus;
using Xunit.Abstractions;

namespace Cloister.Tests.Tpm;

public sealed class TpmCorpusTests(ITestOutputHelper output)
{
    [SharedDataFact]
    public void Every_tpm_case_comes_out_as_expected()
    {
        var verifier = new TpmVerifier();
        All("tpm", one => Compare(one, new TpmCase(one).Run(verifier).Checks));
    }

    [SharedDataFact]
    public void Every_event_log_case_comes_out_as_expected() => All("eventlog", one =>
    {
        string? difference = Compare(one, new EventLogCase(one).Run(out TcgEventLog? log));
        if (difference is not null || !one.Expect.TryGetProperty("events", out JsonElement events)) return difference;
        return log!.Events.Length == events.GetInt32() ? null : $"{log.Events.Length} events where {events} were expected";
    });

    [SharedDataFact]
    public void Every_ak_certificate_case_comes_out_as_expected() => All("akcert", one =>
    {
        Outcome<TpmKeyCertificate> outcome = new AkCertCase(one).Run();
        if (outcome.IsAccepted != one.ExpectedOk) return $"{outcome.Refusal}: {outcome.Field}: {outcome.Reason}";
        if (!outcome.IsAccepted) return null;
        JsonElement claims = one.Expect.GetProperty("claims");
        return claims.GetProperty("subject").GetString() == outcome.Value.Subject && claims.GetProperty("issuer").GetString() == outcome.Value.Issuer ? null : $"{outcome.Value}";
    });

    internal static Check? FirstFailed(ImmutableArray<Check> checks) => checks.FirstOrDefault(check => check.Verdict == Verdict.Failed);

    private static string? Compare(AttestationCase one, ImmutableArray<Check> checks)
    {
        Check? failed = FirstFailed(checks);
        if (one.ExpectedOk) return failed is null && checks.All(check => check.Verdict == Verdict.Passed) ? null : $"refused at {failed?.Id}: {failed?.Field}: {failed?.Reason}";
        return failed is null ? "accepted" : failed.Id == one.ExpectedCheck ? null : $"refused at {failed.Id} ({failed.Reason}) where {one.ExpectedCheck} was expected";
    }

    private void All(string kind, Func<AttestationCase, string?> run)
    {
        ImmutableArray<AttestationCase> cases = CaseCorpus.OfKind(kind);
        string[] differences = [.. cases.Select(one => (one.Id, Difference: run(one))).Where(one => one.Difference is not null).Select(one => $"{one.Id}: {one.Difference}")];
        output.WriteLine($"{kind}: {cases.Length - differences.Length} of {cases.Length} as expected");
        Assert.Empty(differences);
        Assert.NotEmpty(cases);
    }
}
