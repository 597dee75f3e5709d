using System.Collections.Immutable;
using Cloister.Attestation.Certificates;
using Cloister.Attestation.Tpm;
using Cloister.Attestation.Tpm.EventLog;

namespace Cloister.Attestation.Tdx;

/// <summary>
/// Replays a trust domain's event log (the ACPI table CCEL: the TCG crypto-agile form, SHA-384) into the registers that a quote
/// states. A log's register 1 to 4 is RTMR0 to RTMR3; it says nothing true before the replay gives the quoted values.
/// </summary>
public static class RtmrReplay
{
    private const int FirstRegister = 1, Registers = 4, Applications = 3;

    private static readonly ImmutableArray<PlannedCheck> Checks = [new("replay", "eventLog"), new("event_data", "eventLog")];

    /// <summary>Checks a log on its own against a trust domain's report that the caller trusts. All four registers must follow from the log.</summary>
    /// <param name="eventLog">The log, hostile.</param>
    /// <param name="report">The report.</param>
    /// <param name="log">The log if every check passed; null otherwise.</param>
    /// <returns>Every check, in order.</returns>
    public static ImmutableArray<Check> Run(ReadOnlyMemory<byte> eventLog, TdReport report, out TcgEventLog? log)
    {
        var checks = new CheckList(Checks);
        log = Add(checks, eventLog, report, false, out TcgEventLog? replayed) ? replayed : null;
        return checks.Finish();
    }

    /// <summary>Fuzz target: any bytes give a log or a refusal.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes) => _ = Run(bytes.ToArray(), new TdReport(new byte[TdReport.Size10]), out _).Length;

    /// <summary>The two checks in a longer list. Registers that applications extend by themselves may be left to the policy.</summary>
    internal static bool Add(CheckList checks, ReadOnlyMemory<byte> eventLog, TdReport report, bool applicationsMayExtend, out TcgEventLog? log)
    {
        Finding? wrong = Replay(eventLog, report, applicationsMayExtend, out log);
        if (!checks.Next("replay", wrong is null, wrong?.Refusal ?? Refusal.None, $"{wrong?.Field}: {wrong?.Reason}")) return false;
        EventLogProblem? problem = EventLogData.FirstProblem(log!, TpmAlgorithm.Sha384);
        return checks.Next("event_data", problem is null, Refusal.EventLogData, $"event {problem?.Index} (register {problem?.Pcr}, {problem?.Type}): {problem?.Reason}", $"{log!.Events.Length} events");
    }

    private static Finding? Replay(ReadOnlyMemory<byte> eventLog, TdReport report, bool applicationsMayExtend, out TcgEventLog? log)
    {
        Outcome<TcgEventLog> parsed = TcgEventLog.Parse(eventLog);
        if (!parsed.TryGetValue(out log)) return new Finding(parsed.Refusal, parsed.Field, parsed.Reason);
        if (!log.HasBank(TpmAlgorithm.Sha384)) return new Finding(Refusal.EventLogReplay, "eventLog", "not every event has a SHA-384 digest");
        foreach (ref readonly TcgEvent one in log.Events)
            if (one.Type != TcgEventType.NoAction && one.Pcr is < FirstRegister or >= FirstRegister + Registers)
                return new Finding(Refusal.EventLogReplay, "eventLog", $"an event was extended into register {one.Pcr}, which no quote states");
        var replay = EventLogReplay.Run(log, TpmAlgorithm.Sha384);
        for (int i = 0; i < Registers; i++)
        {
            if (replay.Value(FirstRegister + i).SequenceEqual(report.Rtmr(i).Span)) continue;
            if (applicationsMayExtend && i == Applications && !replay.Touches(FirstRegister + i)) continue;
            return new Finding(Refusal.EventLogReplay, TdxFields.Rtmr(i), $"the log leads to {Convert.ToHexStringLower(replay.Value(FirstRegister + i))}, the quote states {Convert.ToHexStringLower(report.Rtmr(i).Span)}");
        }
        return null;
    }
}
