using System.Buffers.Binary;
using System.Collections.Immutable;

namespace Cloister.Attestation.Tpm.EventLog;

/// <summary>
/// A TCG event log, SHA-1 or crypto-agile (TCG PC Client Platform Firmware Profile, 10.2), as read from hostile bytes. Nothing in it
/// is true before its replay gives quoted PCR values (<see cref="EventLogReplay"/>); what its data say is true only where the data
/// hash to the replayed digest (<see cref="EventLogData"/>).
/// </summary>
public sealed class TcgEventLog
{
    /// <summary>Largest log that is read.</summary>
    public const int MaximumSize = 4 << 20;

    private const int MaximumBanks = 8, Sha1Size = 20, LegacyHeader = 4 + 4 + Sha1Size + 4, AgileHead = 4 + 4 + 4, SpecIdFixed = 24, EndMarker = 8;
    private const uint NoPcr = 0xFFFFFFFF;

    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly TcgEvent[] _events;
    private readonly int _count;
    private readonly uint _broken;

    private TcgEventLog(ReadOnlyMemory<byte> bytes, ImmutableArray<TcgBank> banks, TcgEvent[] events, int count, uint broken) =>
        (_bytes, Banks, _events, _count, _broken) = (bytes, banks, events, count, broken);

    private static ReadOnlySpan<byte> SpecId => "Spec ID Event03\0"u8;

    /// <summary>The banks that the log's header declares, in its order.</summary>
    public ImmutableArray<TcgBank> Banks { get; }

    /// <summary>All events in order, the header's not among them.</summary>
    public ReadOnlySpan<TcgEvent> Events => _events.AsSpan(0, _count);

    /// <summary>Whether every event has a digest for this bank.</summary>
    public bool HasBank(TpmAlgorithm bank)
    {
        for (int i = 0; i < Banks.Length; i++)
            if (Banks[i].Algorithm == bank) return (_broken >> i & 1) == 0;
        return false;
    }

    /// <summary>An event's data.</summary>
    public ReadOnlySpan<byte> DataOf(in TcgEvent one) => _bytes.Span.Slice(one.Data, one.DataSize);

    /// <summary>An event's digest for a bank of the log.</summary>
    public ReadOnlySpan<byte> DigestOf(in TcgEvent one, TpmAlgorithm bank)
    {
        foreach (TcgBank known in Banks)
            if (known.Algorithm == bank) return _bytes.Span.Slice(one.Digests + known.Offset, known.Size);
        throw new ArgumentException($"The log has no {bank} digests.", nameof(bank));
    }

    /// <summary>Reads a log. It ends with its bytes, or where an erased or zeroed rest of its memory area begins.</summary>
    public static Outcome<TcgEventLog> Parse(ReadOnlyMemory<byte> bytes)
    {
        ReadOnlySpan<byte> log = bytes.Span;
        if (log.Length > MaximumSize) return Refuse("eventLog", $"more than {MaximumSize} bytes");
        if (log.Length < LegacyHeader) return Refuse("eventLog[0]", "the log ends before its first event does");
        bool agile = Read32(log[4..]) == (uint)TcgEventType.NoAction && log[LegacyHeader..].StartsWith(SpecId);
        int at = 0;
        ImmutableArray<TcgBank> banks = [new(TpmAlgorithm.Sha1, Sha1Size, 0)];
        if (agile)
        {
            uint size = Read32(log[(LegacyHeader - 4)..]);
            if (size > log.Length - LegacyHeader || ReadBanks(log.Slice(LegacyHeader, (int)size)) is not { } read) return Refuse("eventLog[0]", "not a crypto-agile header with known hashes");
            banks = read;
            at = LegacyHeader + (int)size;
        }
        int minimum = agile ? AgileHead + banks.Sum(bank => 2 + bank.Size) + 4 : LegacyHeader;
        var events = new TcgEvent[Math.Min((log.Length - at) / minimum, 128)];
        int count = 0;
        uint broken = 0;
        while (at < log.Length && !IsEnd(log[at..]))
        {
            TcgEvent? one = agile ? ReadAgile(log, banks, ref at, ref broken) : ReadLegacy(log, ref at);
            if (one is null) return Refuse($"eventLog[{count + (agile ? 1 : 0)}]", $"at offset {at}: the event is cut off, has not one digest for each bank, or names no PCR");
            if (count == events.Length) Array.Resize(ref events, Math.Max(2 * count, 16));
            events[count++] = one.Value;
        }
        return count == 0 ? Refuse("eventLog", "no event") : Outcome.Accept(new TcgEventLog(bytes, banks, events, count, broken));
    }

    /// <summary>Fuzz target: any bytes give a log whose events lie within it, or a refusal.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        if (!Parse(bytes.ToArray()).TryGetValue(out TcgEventLog? log)) return;
        var replay = EventLogReplay.Run(log, log.Banks[0].Algorithm);
        _ = EventLogData.FirstProblem(log, log.Banks[0].Algorithm);
        _ = BootState.Read(log, log.Banks[0].Algorithm);
        if (replay.Value(0).Length != log.Banks[0].Size) throw new InvalidOperationException("A PCR of another size than its bank's.");
    }

    private static bool IsEnd(ReadOnlySpan<byte> rest)
    {
        if (rest.Length >= sizeof(uint) && Read32(rest) == NoPcr) return true;
        // A PCR 0 event of type 0 without digests or data: no firmware writes it. All that follows must be zero too, so that nothing hides behind it.
        return rest.Length >= EndMarker && Read32(rest) == 0 && Read32(rest[4..]) == 0 && !rest.ContainsAnyExcept((byte)0);
    }

    private static ImmutableArray<TcgBank>? ReadBanks(ReadOnlySpan<byte> header)
    {
        if (header.Length < SpecIdFixed + sizeof(uint)) return null;
        uint count = Read32(header[SpecIdFixed..]);
        if (count is 0 or > MaximumBanks || header.Length < SpecIdFixed + sizeof(uint) + 4 * (int)count + 1) return null;
        var banks = ImmutableArray.CreateBuilder<TcgBank>((int)count);
        int offset = 0;
        for (int i = 0; i < (int)count; i++)
        {
            ReadOnlySpan<byte> entry = header.Slice(SpecIdFixed + sizeof(uint) + 4 * i, 4);
            var algorithm = (TpmAlgorithm)BinaryPrimitives.ReadUInt16LittleEndian(entry);
            int size = BinaryPrimitives.ReadUInt16LittleEndian(entry[2..]);
            if (size == 0 || size != TpmHash.SizeOf(algorithm) || banks.Any(bank => bank.Algorithm == algorithm)) return null;
            banks.Add(new TcgBank(algorithm, size, offset + 2));
            offset += 2 + size;
        }
        int vendor = header[SpecIdFixed + sizeof(uint) + 4 * (int)count];
        return header.Length == SpecIdFixed + sizeof(uint) + 4 * (int)count + 1 + vendor ? banks.MoveToImmutable() : null;
    }

    private static TcgEvent? ReadLegacy(ReadOnlySpan<byte> log, ref int at)
    {
        ReadOnlySpan<byte> rest = log[at..];
        if (rest.Length < LegacyHeader) return null;
        uint pcr = Read32(rest), size = Read32(rest[(LegacyHeader - 4)..]);
        if (pcr >= TpmLayout.PcrCount || size > rest.Length - LegacyHeader) return null;
        var one = new TcgEvent((int)pcr, (TcgEventType)Read32(rest[4..]), at + 8, at + LegacyHeader, (int)size);
        at += LegacyHeader + (int)size;
        return one;
    }

    private static TcgEvent? ReadAgile(ReadOnlySpan<byte> log, ImmutableArray<TcgBank> banks, ref int at, ref uint broken)
    {
        ReadOnlySpan<byte> rest = log[at..];
        int digests = banks[^1].Offset + banks[^1].Size;
        if (rest.Length < AgileHead + digests + sizeof(uint)) return null;
        uint pcr = Read32(rest), size = Read32(rest[(AgileHead + digests)..]);
        if (pcr >= TpmLayout.PcrCount || Read32(rest[8..]) != (uint)banks.Length || size > rest.Length - AgileHead - digests - sizeof(uint)) return null;
        // A digest is as long as the header says for its place. One of another hash than declared leaves its bank without a replay.
        for (int i = 0; i < banks.Length; i++)
            if (BinaryPrimitives.ReadUInt16LittleEndian(rest[(AgileHead + banks[i].Offset - 2)..]) != (ushort)banks[i].Algorithm) broken |= 1u << i;
        var one = new TcgEvent((int)pcr, (TcgEventType)Read32(rest[4..]), at + AgileHead, at + AgileHead + digests + sizeof(uint), (int)size);
        at += AgileHead + digests + sizeof(uint) + (int)size;
        return one;
    }

    private static uint Read32(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private static Outcome<TcgEventLog> Refuse(string field, string reason) => Outcome.Refuse<TcgEventLog>(Refusal.EventLogMalformed, field, reason);
}

/// <summary>A bank of a log.</summary>
/// <param name="Algorithm">Its hash.</param>
/// <param name="Size">Bytes of a digest.</param>
/// <param name="Offset">Where an event's digest for it stands behind the event's first.</param>
public readonly record struct TcgBank(TpmAlgorithm Algorithm, int Size, int Offset);
