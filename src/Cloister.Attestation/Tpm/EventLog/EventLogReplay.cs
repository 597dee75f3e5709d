using System.Collections.Immutable;
using System.Text;

namespace Cloister.Attestation.Tpm.EventLog;

/// <summary>The PCR values of one bank that a log leads to (TPM 2.0 Library part 1, 17; Firmware Profile, 10.4.5.3 for the locality).</summary>
public sealed class EventLogReplay
{
    // systemd's own words for PCR 11, in the order in which a boot reaches them (systemd-pcrphase.service(8)).
    private static readonly ImmutableArray<string> Phases = ["enter-initrd", "leave-initrd", "sysinit", "ready", "shutdown", "final"];

    private const int FirstDynamic = 17, LastDynamic = 22, StubPcr = 11, ImaPcr = 10, FirstOfSystem = 15, LastFirmware = 7;

    private readonly byte[] _values;
    private readonly int _size;
    private readonly uint _touched;

    private EventLogReplay(TpmAlgorithm bank, byte[] values, uint touched)
    {
        Bank = bank;
        _size = TpmHash.SizeOf(bank);
        _values = values;
        _touched = touched;
    }

    private static ReadOnlySpan<byte> StartupLocality => "StartupLocality\0"u8;

    /// <summary>The bank.</summary>
    public TpmAlgorithm Bank { get; }

    /// <summary>The value a PCR was led to.</summary>
    public ReadOnlySpan<byte> Value(int pcr) => _values.AsSpan(pcr * _size, _size);

    /// <summary>Whether an event of the log was extended into a PCR.</summary>
    public bool Touches(int pcr) => (_touched >> pcr & 1) != 0;

    /// <summary>Replays a log.</summary>
    /// <exception cref="ArgumentException">The log has no digests for the bank.</exception>
    public static EventLogReplay Run(TcgEventLog log, TpmAlgorithm bank)
    {
        int size = TpmHash.SizeOf(bank);
        var values = new byte[TpmLayout.PcrCount * size];
        values.AsSpan(FirstDynamic * size, (LastDynamic - FirstDynamic + 1) * size).Fill(0xFF);
        uint touched = 0;
        foreach (ref readonly TcgEvent one in log.Events)
        {
            if (one.Type == TcgEventType.NoAction)
            {
                // Only before the first measurement can the locality have set PCR 0 to anything.
                ReadOnlySpan<byte> data = log.DataOf(one);
                if ((touched & 1) == 0 && data.Length == StartupLocality.Length + 1 && data.StartsWith(StartupLocality)) values[size - 1] = data[^1];
                continue;
            }
            TpmHash.Extend(bank, values.AsSpan(one.Pcr * size, size), log.DigestOf(one, bank));
            touched |= 1u << one.Pcr;
        }
        return new EventLogReplay(bank, values, touched);
    }

    /// <summary>
    /// Whether a quoted value follows from the log. PCR 11 may go on with the phases that systemd extends after the firmware closed
    /// the log. PCR 10 (IMA) and PCRs 15 to 23 (the running system's) are not the log's unless it has events for them.
    /// </summary>
    /// <param name="pcr">The PCR.</param>
    /// <param name="quoted">Its quoted value.</param>
    /// <param name="phases">The systemd phases passed since, joined by ':'; empty for all but PCR 11.</param>
    public PcrExplanation Explain(int pcr, ReadOnlySpan<byte> quoted, out string phases)
    {
        phases = "";
        if (Value(pcr).SequenceEqual(quoted)) return PcrExplanation.Replayed;
        if (!Touches(pcr) && pcr is ImaPcr or >= FirstOfSystem) return PcrExplanation.OfSystem;
        return pcr == StubPcr && Touches(pcr) && TryPhases(Value(pcr), quoted, out phases) ? PcrExplanation.Replayed : PcrExplanation.Unexplained;
    }

    /// <summary>Whether the firmware itself measures into a PCR.</summary>
    public static bool IsFirmware(int pcr) => pcr <= LastFirmware;

    private bool TryPhases(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, out string phases)
    {
        Span<byte> word = stackalloc byte[32], digest = stackalloc byte[TpmHash.MaximumSize], value = stackalloc byte[_size];
        for (int first = 0; first < Phases.Length; first++)
        {
            from.CopyTo(value);
            for (int last = first; last < Phases.Length; last++)
            {
                int length = Encoding.ASCII.GetBytes(Phases[last], word);
                TpmHash.Extend(Bank, value, digest[..TpmHash.Hash(Bank, word[..length], digest)]);
                if (!value.SequenceEqual(to)) continue;
                phases = string.Join(':', Phases[first..(last + 1)]);
                return true;
            }
        }
        phases = "";
        return false;
    }
}

/// <summary>How a quoted PCR value relates to a log.</summary>
public enum PcrExplanation
{
    /// <summary>The log does not lead to it.</summary>
    Unexplained = 0,

    /// <summary>The log leads to it.</summary>
    Replayed,

    /// <summary>The running system extends it, and the log says nothing of it.</summary>
    OfSystem,
}
