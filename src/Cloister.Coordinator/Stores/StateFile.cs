using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Cloister.Coordinator.Stores;

/// <summary>The bytes of a file store: all records as of one revision, then the commits since; layout in docs/formats/state.md, part 1.</summary>
internal static class StateFile
{
    internal const uint FormatVersion = 2;
    internal const long MaxFileBytes = 1L << 30;
    internal const int MaxRecords = 1_000_000;
    private const uint WholeFilesOnly = 1;
    private const int HeaderBytes = 8 + 4 + 8 + 4, RecordBytes = 2 + 8 + 4, DigestBytes = SHA256.HashSizeInBytes;

    private static ReadOnlySpan<byte> Magic => "CLSTATE\n"u8;

    /// <summary>Records in the order of their names' UTF-16 code units, so that equal content has equal bytes.</summary>
    public static byte[] Encode(long revision, ImmutableSortedDictionary<string, StoreRecord> records) => Encode(revision, records, out _);

    /// <inheritdoc cref="Encode(long, ImmutableSortedDictionary{string, StoreRecord})"/>
    /// <param name="revision">Number of commits so far.</param>
    /// <param name="records">By name.</param>
    /// <param name="digest">That the first appended commit follows.</param>
    public static byte[] Encode(long revision, ImmutableSortedDictionary<string, StoreRecord> records, out byte[] digest)
    {
        long size = HeaderBytes + DigestBytes;
        foreach ((string key, StoreRecord record) in records)
            size += RecordBytes + Encoding.UTF8.GetByteCount(key) + record.Value.Length;
        if (size > MaxFileBytes || records.Count > MaxRecords)
            throw new StoreException(StoreError.TooLarge, $"The state would have {records.Count} records in {size} bytes; at most {MaxRecords} in {MaxFileBytes} are allowed.");

        var writer = new ArrayBufferWriter<byte>((int)size + StateFileCommit.Alignment);
        writer.Write(Magic);
        StateFileText.Write(writer, FormatVersion);
        StateFileText.Write(writer, revision);
        StateFileText.Write(writer, (uint)records.Count);
        foreach ((string key, StoreRecord record) in records)
        {
            StateFileText.WriteName(writer, key);
            StateFileText.Write(writer, record.Version);
            StateFileText.Write(writer, (uint)record.Value.Length);
            writer.Write(record.Value.Span);
        }
        writer.Write(digest = SHA256.HashData(writer.WrittenSpan));
        StateFileCommit.Align(writer);
        return writer.WrittenSpan.ToArray();
    }

    /// <summary>Throws <see cref="StoreException"/> (Corrupt, NewerFormat) for anything that was not written as the format says, or left by a crash while it was.</summary>
    public static StateFileContent Decode(ReadOnlySpan<byte> file)
    {
        if (file.Length < HeaderBytes + DigestBytes || !file.StartsWith(Magic))
            throw Corrupt("it does not begin as a state file does");
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(file[8..]);
        if (version > FormatVersion)
            throw new StoreException(StoreError.NewerFormat, $"The state has format {version}; this program reads up to {FormatVersion}. Start the newer program again.");
        if (version < WholeFilesOnly)
            throw Corrupt("format 0 does not exist");

        long revision = BinaryPrimitives.ReadInt64LittleEndian(file[12..]);
        var (records, end) = DecodeRecords(file, revision);
        ReadOnlySpan<byte> digest = file.Slice(end, DigestBytes);
        if (!SHA256.HashData(file[..end]).AsSpan().SequenceEqual(digest))
            throw Corrupt("its checksum is wrong");
        int whole = end + DigestBytes;
        if (version == WholeFilesOnly)
        {
            return whole == file.Length
                ? new StateFileContent(version, revision, records.ToImmutable(), whole, whole, digest.ToArray())
                : throw Corrupt("bytes follow its last record");
        }
        int aligned = StateFileCommit.Aligned(whole);
        if (aligned > file.Length || file[whole..aligned].ContainsAnyExcept((byte)0))
            throw Corrupt("its records do not end as they should");
        return DecodeCommits(file, new StateFileContent(version, revision, records.ToImmutable(), aligned, aligned, digest.ToArray()));
    }

    /// <summary>Fuzz target: any bytes are refused with a <see cref="StoreException"/>, or hold what is read again from their valid part, and records that encode to the same bytes.</summary>
    public static void Fuzz(ReadOnlySpan<byte> file)
    {
        try
        {
            StateFileContent content = Decode(file), again = Decode(file[..content.Length]);
            bool same = again.Revision == content.Revision && again.Records.Count == content.Records.Count && again.Length == content.Length;
            bool canonical = content.Version < FormatVersion || content.Length > content.RecordsLength
                || Encode(content.Revision, content.Records).AsSpan().SequenceEqual(file[..content.Length]);
            if (!same || !canonical)
                throw new InvalidOperationException("A state file was read that would not have been written.");
        }
        catch (StoreException)
        {
            return;
        }
    }

    private static (ImmutableSortedDictionary<string, StoreRecord>.Builder Records, int End) DecodeRecords(ReadOnlySpan<byte> file, long revision)
    {
        int count = BinaryPrimitives.ReadInt32LittleEndian(file[20..]);
        ReadOnlySpan<byte> rest = file[HeaderBytes..^DigestBytes];
        if (revision < 0 || count < 0 || count > rest.Length / RecordBytes)
            throw Corrupt("its counts are impossible");
        var records = ImmutableSortedDictionary.CreateBuilder<string, StoreRecord>(StringComparer.Ordinal);
        string? last = null;
        for (int i = 0; i < count; i++)
        {
            string key = StateFileText.ReadName(ref rest);
            long recordVersion = StateFileText.ReadNumber(ref rest);
            ReadOnlySpan<byte> value = StateFileText.ReadValue(ref rest);
            if (recordVersion < 1 || recordVersion > revision)
                throw Corrupt("a record's numbers are impossible");
            if (string.CompareOrdinal(last, key) >= 0)
                throw Corrupt("its records are not in order");
            records.Add(last = key, new StoreRecord(value.ToArray(), recordVersion));
        }
        return (records, file.Length - DigestBytes - rest.Length);
    }

    private static StateFileContent DecodeCommits(ReadOnlySpan<byte> file, StateFileContent content)
    {
        var records = content.Records.ToBuilder();
        (long revision, int length, ReadOnlyMemory<byte> digest) = (content.Revision, content.Length, content.Digest);
        while (StateFileCommit.TryRead(file[length..], revision, digest.Span, records, out int taken, out byte[] next))
            (revision, length, digest) = (revision + 1, length + taken, next);
        return content with { Revision = revision, Records = records.ToImmutable(), Length = length, Digest = digest, Torn = length < file.Length };
    }

    internal static StoreException Corrupt(string why) => new(StoreError.Corrupt,
        $"The state file is damaged: {why}. Nothing was changed; put back a copy, or move the seal folder away to begin anew.");
}

/// <summary>What a state file holds.</summary>
/// <param name="Version">Of the format.</param>
/// <param name="Revision">Of the last whole commit.</param>
/// <param name="Records">As of that commit.</param>
/// <param name="RecordsLength">Bytes before the first appended commit.</param>
/// <param name="Length">Bytes up to the end of the last whole commit.</param>
/// <param name="Digest">That the next appended commit follows.</param>
internal sealed record StateFileContent(uint Version, long Revision, ImmutableSortedDictionary<string, StoreRecord> Records, int RecordsLength, int Length, ReadOnlyMemory<byte> Digest)
{
    /// <summary>Whether a commit was begun after the last whole one: a crash left it, and it means nothing.</summary>
    public bool Torn { get; init; }
}
