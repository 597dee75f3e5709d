using System.Collections.Frozen;
using System.Text.Json;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.SevSnp;
using Cloister.Attestation.Tpm;

namespace Cloister.Cli.Attest.Cases;

/// <summary>Runs cases of every kind that this version verifies. What one case leaves in its caches does not change another.</summary>
internal sealed class CaseRunner
{
    private readonly FrozenDictionary<string, Func<AttestationCase, CaseOutcome>> _kinds;

    public CaseRunner()
    {
        var snp = new SnpVerifier();
        var tpm = new TpmVerifier();
        var dcap = new DcapMemory();
        _kinds = new Dictionary<string, Func<AttestationCase, CaseOutcome>>
        {
            ["snp"] = one => SnpCase.Run(one, snp),
            ["tdx"] = one => TdxCase.Run(one, dcap),
            ["sgx"] = one => SgxCase.Run(one, dcap),
            ["rtmr"] = one => new CaseOutcome(RtmrCase.Run(one), null),
            ["tpm"] = one => new TpmCase(one).Run(tpm),
            ["eventlog"] = one => new CaseOutcome(new EventLogCase(one).Run(out _), null),
            ["akcert"] = one => new AkCertCase(one).Outcome(),
        }.ToFrozenDictionary();
    }

    /// <summary>The kinds that are run.</summary>
    public IEnumerable<string> Kinds => _kinds.Keys.Order(StringComparer.Ordinal);

    /// <summary>Runs a case; null if this version does not verify its kind.</summary>
    /// <exception cref="FormatException">The case is not of its form.</exception>
    /// <exception cref="IOException">A file of the case cannot be read.</exception>
    public CaseOutcome? Run(AttestationCase one)
    {
        if (!_kinds.TryGetValue(one.Tee, out Func<AttestationCase, CaseOutcome>? run)) return null;
        try
        {
            return run(one);
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException or KeyNotFoundException or InvalidOperationException)
        {
            throw new FormatException($"The case '{one.Id}' is not of its form: {exception.Message}", exception);
        }
    }

    /// <summary>In what an outcome differs from what the case expects; null if in nothing.</summary>
    public static string? Difference(AttestationCase one, CaseOutcome outcome)
    {
        string found = outcome.Failed is { } failed ? $"refused at {failed.Id} ({failed.Refusal}: {failed.Reason})" : outcome.Ok ? "accepted" : "not decided";
        bool eitherVerdict = one.Note.Contains("either verdict", StringComparison.Ordinal) || one.Note.Contains("either accepted", StringComparison.Ordinal);
        if (eitherVerdict) return null;
        if (outcome.Ok != one.ExpectedOk) return $"{found}, expected {(one.ExpectedOk ? "accepted" : $"refused at {one.ExpectedCheck}")}";
        bool anyCheck = one.Note.Contains("any rejecting check", StringComparison.Ordinal);
        if (!one.ExpectedOk && !anyCheck && one.ExpectedCheck is { } check && outcome.Failed?.Id != check) return $"{found}, expected at {check}";
        if (one.Expect.TryGetProperty("status", out JsonElement status) && outcome.Field(DcapFields.TcbStatus) != status.GetString())
            return $"status {outcome.Field(DcapFields.TcbStatus)}, expected {status}";
        if (one.Expect.TryGetProperty("advisories", out JsonElement advisories) && advisories.ValueKind == JsonValueKind.Array
            && outcome.Field(DcapFields.Advisories) != string.Join(',', advisories.EnumerateArray().Select(item => item.GetString())))
            return $"advisories {outcome.Field(DcapFields.Advisories)}, expected {advisories}";
        return null;
    }
}
