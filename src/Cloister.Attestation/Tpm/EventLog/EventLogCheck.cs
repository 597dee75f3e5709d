using System.Collections.Immutable;
using System.Globalization;

namespace Cloister.Attestation.Tpm.EventLog;

/// <summary>
/// Checks a log on its own against PCR values that the caller trusts: read from its own TPM, or quoted and verified elsewhere. Every
/// given value must follow from the log.
/// </summary>
public static class EventLogCheck
{
    private static readonly ImmutableArray<PlannedCheck> Checks = [new("format", "eventLog"), new("replay", "eventLog"), new("event_data", "eventLog")];

    /// <summary>Checks a log.</summary>
    /// <param name="eventLog">The log, hostile.</param>
    /// <param name="pcrs">Trusted values, of one bank or several; none checks the log's form and data alone, which proves nothing.</param>
    /// <param name="log">The log if it could be read; null otherwise.</param>
    /// <returns>Every check, in order.</returns>
    public static ImmutableArray<Check> Run(ReadOnlyMemory<byte> eventLog, ImmutableArray<TpmPcrValue> pcrs, out TcgEventLog? log)
    {
        var checks = new CheckList(Checks);
        Outcome<TcgEventLog> parsed = TcgEventLog.Parse(eventLog);
        log = parsed.TryGetValue(out TcgEventLog? read) ? read : null;
        _ = checks.Next("format", log is not null, parsed.Refusal, $"{parsed.Field}: {parsed.Reason}", $"{eventLog.Length} bytes")
            && Replay(checks, log!, pcrs)
            && Data(checks, log!, pcrs);
        return checks.Finish();
    }

    private static bool Replay(CheckList checks, TcgEventLog log, ImmutableArray<TpmPcrValue> pcrs)
    {
        var replays = new Dictionary<TpmAlgorithm, EventLogReplay>();
        foreach (TpmPcrValue pcr in pcrs)
        {
            string bank = TpmHash.NameOf(pcr.Bank);
            if (!log.HasBank(pcr.Bank)) return checks.Fail("replay", Refusal.EventLogReplay, $"not every event of the log has a {bank} digest");
            if (!replays.TryGetValue(pcr.Bank, out EventLogReplay? replay)) replays[pcr.Bank] = replay = EventLogReplay.Run(log, pcr.Bank);
            if (replay.Explain(pcr.Index, pcr.Value.Span, out _) != PcrExplanation.Replayed)
                return checks.Fail("replay", Refusal.EventLogReplay, $"the log does not lead to PCR {pcr.Index} ({bank})", Convert.ToHexStringLower(replay.Value(pcr.Index)), Convert.ToHexStringLower(pcr.Value.Span));
        }
        return checks.Pass("replay", pcrs.Length.ToString(CultureInfo.InvariantCulture));
    }

    private static bool Data(CheckList checks, TcgEventLog log, ImmutableArray<TpmPcrValue> pcrs)
    {
        TpmAlgorithm[] banks = pcrs.IsEmpty ? [log.Banks[0].Algorithm] : [.. pcrs.Select(pcr => pcr.Bank).Distinct()];
        foreach (TpmAlgorithm bank in banks)
            if (EventLogData.FirstProblem(log, bank) is { } problem)
                return checks.Fail("event_data", Refusal.EventLogData, $"event {problem.Index} (PCR {problem.Pcr}, {problem.Type}): {problem.Reason}");
        return checks.Pass("event_data", $"{log.Events.Length} events");
    }
}
