using System.Buffers.Binary;
using System.Text;

namespace Cloister.Attestation.Tpm.EventLog;

/// <summary>
/// Linux's integrity measurement list (IMA, binary_runtime_measurements, little-endian): what the kernel extended into PCR 10 since it
/// started. The list may be longer than what was quoted, since it grows all the time.
/// </summary>
public static class ImaLog
{
    /// <summary>The PCR that IMA extends.</summary>
    public const int Pcr = 10;

    /// <summary>Largest list that is read.</summary>
    public const int MaximumSize = 16 << 20;

    private const int Sha1Size = 20, MaximumTemplateName = 255, MaximumTemplateData = 1 << 20, AggregatePcrs = 10, LegacyAggregatePcrs = 8;

    /// <summary>
    /// Replays a list until it gives the quoted value, and returns how many entries that takes. Its first entry must be the
    /// boot_aggregate of the quoted PCRs, which ties the list to this boot.
    /// </summary>
    /// <param name="list">The list, hostile.</param>
    /// <param name="bank">The quoted bank.</param>
    /// <param name="valueOf">The quoted value of a PCR; null if it was not quoted.</param>
    public static Outcome<int> Replay(ReadOnlySpan<byte> list, TpmAlgorithm bank, Func<int, ReadOnlyMemory<byte>?> valueOf)
    {
        if (list.Length > MaximumSize) return Refuse(Refusal.ImaLogMalformed, "imaLog", $"more than {MaximumSize} bytes");
        if (valueOf(Pcr) is not { } quoted) return Refuse(Refusal.ImaLogReplay, "imaLog", "PCR 10 was not quoted");
        Span<byte> value = stackalloc byte[TpmHash.MaximumSize], digest = stackalloc byte[TpmHash.MaximumSize];
        value = value[..TpmHash.SizeOf(bank)];
        digest = digest[..value.Length];
        value.Clear();
        int at = 0, count = 0;
        while (at < list.Length)
        {
            if (!TryRead(list, ref at, out ReadOnlySpan<byte> sha1, out ReadOnlySpan<byte> data)) return Refuse(Refusal.ImaLogMalformed, $"imaLog[{count}]", "the entry is cut off, of another PCR or of a template that is not read");
            if (count == 0 && !IsBootAggregate(data, bank, valueOf)) return Refuse(Refusal.ImaLogReplay, "imaLog[0]", "it is not the boot aggregate of the quoted PCRs");
            if (!sha1.ContainsAnyExcept((byte)0)) digest.Fill(0xFF); // a measurement violation, extended so that it shows
            else if (bank == TpmAlgorithm.Sha1) sha1.CopyTo(digest);
            else TpmHash.Hash(bank, data, digest);
            TpmHash.Extend(bank, value, digest);
            count++;
            if (value.SequenceEqual(quoted.Span)) return Outcome.Accept(count);
        }
        return Refuse(Refusal.ImaLogReplay, "imaLog", "its replay does not pass through the quoted PCR 10");
    }

    /// <summary>Whether PCR 10 holds the boot aggregate of the quoted PCRs and nothing else (templates ima-ng and ima-sig).</summary>
    public static bool IsBootAggregateAlone(TpmAlgorithm bank, Func<int, ReadOnlyMemory<byte>?> valueOf)
    {
        if (valueOf(Pcr) is not { } quoted || Aggregate(bank, valueOf) is not { } aggregate) return false;
        byte[] head = Encoding.ASCII.GetBytes(TpmHash.NameOf(bank) + ":\0"), path = "boot_aggregate\0"u8.ToArray();
        byte[] both = [.. Sized([.. head, .. aggregate]), .. Sized(path)];
        return Holds(both, quoted.Span) || Holds([.. both, 0, 0, 0, 0], quoted.Span);

        bool Holds(byte[] template, ReadOnlySpan<byte> pcr)
        {
            var value = new byte[TpmHash.SizeOf(bank)];
            TpmHash.Extend(bank, value, TpmHash.Hash(bank, template));
            return pcr.SequenceEqual(value);
        }
    }

    /// <summary>Fuzz target: any bytes are replayed or refused.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        var zero = new byte[TpmHash.SizeOf(TpmAlgorithm.Sha256)];
        _ = Replay(bytes, TpmAlgorithm.Sha256, _ => zero).IsAccepted;
    }

    private static bool TryRead(ReadOnlySpan<byte> list, ref int at, out ReadOnlySpan<byte> sha1, out ReadOnlySpan<byte> data)
    {
        sha1 = data = default;
        ReadOnlySpan<byte> rest = list[at..];
        if (rest.Length < 4 + Sha1Size + 4 || Read32(rest) != Pcr) return false;
        sha1 = rest.Slice(4, Sha1Size);
        uint nameSize = Read32(rest[(4 + Sha1Size)..]);
        rest = rest[(8 + Sha1Size)..];
        // The template "ima" has no length before its data and only SHA-1 in them.
        if (nameSize is 0 or > MaximumTemplateName || rest.Length < (int)nameSize + 4 || rest[..(int)nameSize].SequenceEqual("ima"u8)) return false;
        rest = rest[(int)nameSize..];
        uint dataSize = Read32(rest);
        if (dataSize > MaximumTemplateData || rest.Length - 4 < (int)dataSize) return false;
        data = rest.Slice(4, (int)dataSize);
        at = list.Length - rest.Length + 4 + (int)dataSize;
        return true;
    }

    private static bool IsBootAggregate(ReadOnlySpan<byte> data, TpmAlgorithm bank, Func<int, ReadOnlyMemory<byte>?> valueOf)
    {
        if (Aggregate(bank, valueOf) is not { } aggregate) return false;
        byte[] head = Encoding.ASCII.GetBytes(TpmHash.NameOf(bank) + ":\0");
        return data.StartsWith([.. Sized([.. head, .. aggregate]), .. Sized("boot_aggregate\0"u8.ToArray())]);
    }

    /// <summary>H(PCR 0 ‖ ... ‖ PCR 9); SHA-1 ends with PCR 7 (Linux, ima_calc_boot_aggregate).</summary>
    private static byte[]? Aggregate(TpmAlgorithm bank, Func<int, ReadOnlyMemory<byte>?> valueOf)
    {
        int count = bank == TpmAlgorithm.Sha1 ? LegacyAggregatePcrs : AggregatePcrs, size = TpmHash.SizeOf(bank);
        var values = new byte[count * size];
        for (int pcr = 0; pcr < count; pcr++)
        {
            if (valueOf(pcr) is not { } value) return null;
            value.CopyTo(values.AsMemory(pcr * size));
        }
        return TpmHash.Hash(bank, values);
    }

    private static byte[] Sized(byte[] field)
    {
        var sized = new byte[4 + field.Length];
        BinaryPrimitives.WriteInt32LittleEndian(sized, field.Length);
        field.CopyTo(sized, 4);
        return sized;
    }

    private static uint Read32(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private static Outcome<int> Refuse(Refusal refusal, string field, string reason) => Outcome.Refuse<int>(refusal, field, reason);
}
