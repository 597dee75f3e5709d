using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Cloister.Coordinator.Stores;

/// <summary>The bytes of a file store; layout in docs/formats/state.md, part 1.</summary>
internal static class StateFile
{
    internal const uint FormatVersion = 1;
    internal const long MaxFileBytes = 1L << 30;
    internal const int MaxRecords = 1_000_000;
    private const int HeaderBytes = 8 + 4 + 8 + 4, RecordBytes = 2 + 8 + 4, DigestBytes = SHA256.HashSizeInBytes;
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private static ReadOnlySpan<byte> Magic => "CLSTATE\n"u8;

    /// <summary>Records in the order of their names' UTF-16 code units, so that equal content has equal bytes.</summary>
    public static byte[] Encode(long revision, ImmutableSortedDictionary<string, StoreRecord> records)
    {
        long size = HeaderBytes + DigestBytes;
        foreach ((string key, StoreRecord record) in records)
            size += RecordBytes + Encoding.UTF8.GetByteCount(key) + record.Value.Length;
        if (size > MaxFileBytes || records.Count > MaxRecords)
            throw new StoreException(StoreError.TooLarge, $"The state would have {records.Count} records in {size} bytes; at most {MaxRecords} in {MaxFileBytes} are allowed.");

        var writer = new ArrayBufferWriter<byte>((int)size);
        writer.Write(Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(Take(writer, 4), FormatVersion);
        BinaryPrimitives.WriteInt64LittleEndian(Take(writer, 8), revision);
        BinaryPrimitives.WriteInt32LittleEndian(Take(writer, 4), records.Count);
        foreach ((string key, StoreRecord record) in records)
        {
            int length = Encoding.UTF8.GetByteCount(key);
            BinaryPrimitives.WriteUInt16LittleEndian(Take(writer, 2), checked((ushort)length));
            Encoding.UTF8.GetBytes(key, Take(writer, length));
            BinaryPrimitives.WriteInt64LittleEndian(Take(writer, 8), record.Version);
            BinaryPrimitives.WriteInt32LittleEndian(Take(writer, 4), record.Value.Length);
            writer.Write(record.Value.Span);
        }
        writer.Write(SHA256.HashData(writer.WrittenSpan));
        return writer.WrittenSpan.ToArray();
    }

    /// <summary>Throws <see cref="StoreException"/> (Corrupt, NewerFormat) for anything <see cref="Encode"/> would not have written.</summary>
    public static (long Revision, ImmutableSortedDictionary<string, StoreRecord> Records) Decode(ReadOnlySpan<byte> file)
    {
        if (file.Length < HeaderBytes + DigestBytes || !file.StartsWith(Magic))
            throw Corrupt("it does not begin as a state file does");
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(file[8..]);
        if (version > FormatVersion)
            throw new StoreException(StoreError.NewerFormat, $"The state has format {version}; this program reads up to {FormatVersion}. Start the newer program again.");
        if (version != FormatVersion)
            throw Corrupt("format 0 does not exist");
        if (!SHA256.HashData(file[..^DigestBytes]).AsSpan().SequenceEqual(file[^DigestBytes..]))
            throw Corrupt("its checksum is wrong");

        long revision = BinaryPrimitives.ReadInt64LittleEndian(file[12..]);
        int count = BinaryPrimitives.ReadInt32LittleEndian(file[20..]);
        var rest = file[HeaderBytes..^DigestBytes];
        if (revision < 0 || count < 0 || count > rest.Length / RecordBytes)
            throw Corrupt("its counts are impossible");
        var records = ImmutableSortedDictionary.CreateBuilder<string, StoreRecord>(StringComparer.Ordinal);
        string? last = null;
        for (int i = 0; i < count; i++)
        {
            string key = ReadKey(ref rest);
            if (rest.Length < 12)
                throw Corrupt("a record is cut off");
            long recordVersion = BinaryPrimitives.ReadInt64LittleEndian(rest);
            int length = BinaryPrimitives.ReadInt32LittleEndian(rest[8..]);
            rest = rest[12..];
            if (recordVersion < 1 || recordVersion > revision || length < 0 || length > rest.Length || length > StoreTransaction.MaxValueBytes)
                throw Corrupt("a record's numbers are impossible");
            if (string.CompareOrdinal(last, key) >= 0)
                throw Corrupt("its records are not in order");
            records.Add(last = key, new StoreRecord(rest[..length].ToArray(), recordVersion));
            rest = rest[length..];
        }
        return rest.IsEmpty ? (revision, records.ToImmutable()) : throw Corrupt("bytes follow its last record");
    }

    /// <summary>Fuzz target: any bytes either decode to something that encodes to the same bytes, or are refused with a <see cref="StoreException"/>.</summary>
    public static void Fuzz(ReadOnlySpan<byte> file)
    {
        try
        {
            var (revision, records) = Decode(file);
            if (!Encode(revision, records).AsSpan().SequenceEqual(file))
                throw new InvalidOperationException("A state file was read that would not have been written.");
        }
        catch (StoreException)
        {
            return;
        }
    }

    private static string ReadKey(ref ReadOnlySpan<byte> rest)
    {
        if (rest.Length < 2)
            throw Corrupt("a record is cut off");
        int length = BinaryPrimitives.ReadUInt16LittleEndian(rest);
        if (length is 0 or > StoreTransaction.MaxKeyBytes || length > rest.Length - 2)
            throw Corrupt("a record's name is impossible");
        try
        {
            string key = StrictUtf8.GetString(rest.Slice(2, length));
            rest = rest[(2 + length)..];
            return key;
        }
        catch (DecoderFallbackException)
        {
            throw Corrupt("a record's name is no text");
        }
    }

    private static Span<byte> Take(ArrayBufferWriter<byte> writer, int bytes)
    {
        Span<byte> span = writer.GetSpan(bytes)[..bytes];
        writer.Advance(bytes);
        return span;
    }

    private static StoreException Corrupt(string why) => new(StoreError.Corrupt,
        $"The state file is damaged: {why}. Nothing was changed; put back a copy, or move the seal folder away to begin anew.");
}
