using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Cloister.Coordinator.Stores;

/// <summary>Which records exist, in which version and with which bytes; sealed itself. Layout in docs/formats/state.md, part 2.</summary>
internal sealed record SealedIndex(long Generation, ImmutableSortedDictionary<string, SealedIndex.Entry> Entries)
{
    private const uint FormatVersion = 1;
    private const int HeaderBytes = 4 + 8 + 4, EntryBytes = 2 + 8 + SHA256.HashSizeInBytes;
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>A record's version and the SHA-256 of its sealed bytes.</summary>
    internal readonly record struct Entry(long Version, ReadOnlyMemory<byte> Digest);

    public static SealedIndex Empty { get; } = new(0, ImmutableSortedDictionary.Create<string, Entry>(StringComparer.Ordinal));

    public byte[] Encode()
    {
        byte[] bytes = new byte[HeaderBytes + Entries.Sum(entry => EntryBytes + Encoding.UTF8.GetByteCount(entry.Key))];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, FormatVersion);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(4), Generation);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), Entries.Count);
        Span<byte> rest = bytes.AsSpan(HeaderBytes);
        foreach ((string key, Entry entry) in Entries)
        {
            int length = Encoding.UTF8.GetBytes(key, rest[2..]);
            BinaryPrimitives.WriteUInt16LittleEndian(rest, checked((ushort)length));
            BinaryPrimitives.WriteInt64LittleEndian(rest[(2 + length)..], entry.Version);
            entry.Digest.Span.CopyTo(rest[(10 + length)..]);
            rest = rest[(EntryBytes + length)..];
        }
        return bytes;
    }

    /// <summary>Null for anything <see cref="Encode"/> would not have written. <paramref name="newer"/> says that a newer program wrote it.</summary>
    public static SealedIndex? Decode(ReadOnlySpan<byte> bytes, out bool newer)
    {
        newer = bytes.Length >= 4 && BinaryPrimitives.ReadUInt32LittleEndian(bytes) > FormatVersion;
        if (bytes.Length < HeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != FormatVersion)
            return null;
        long generation = BinaryPrimitives.ReadInt64LittleEndian(bytes[4..]);
        int count = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]);
        ReadOnlySpan<byte> rest = bytes[HeaderBytes..];
        if (generation < 1 || count < 0 || count > rest.Length / EntryBytes)
            return null;
        var entries = ImmutableSortedDictionary.CreateBuilder<string, Entry>(StringComparer.Ordinal);
        string? last = null;
        for (int i = 0; i < count; i++)
        {
            if (rest.Length < EntryBytes)
                return null;
            int length = BinaryPrimitives.ReadUInt16LittleEndian(rest);
            if (length == 0 || rest.Length < EntryBytes + length || !TryGetText(rest.Slice(2, length), out string key) || string.CompareOrdinal(last, key) >= 0)
                return null;
            long version = BinaryPrimitives.ReadInt64LittleEndian(rest[(2 + length)..]);
            if (version < 1 || version > generation)
                return null;
            entries.Add(last = key, new Entry(version, rest.Slice(10 + length, SHA256.HashSizeInBytes).ToArray()));
            rest = rest[(EntryBytes + length)..];
        }
        return rest.IsEmpty ? new SealedIndex(generation, entries.ToImmutable()) : null;
    }

    /// <summary>Fuzz target: any bytes are refused, or decode to an index that encodes to the same bytes.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        if (Decode(bytes, out _) is { } index && !index.Encode().AsSpan().SequenceEqual(bytes))
            throw new InvalidOperationException("An index was read that would not have been written.");
    }

    private static bool TryGetText(ReadOnlySpan<byte> utf8, out string text)
    {
        try
        {
            text = StrictUtf8.GetString(utf8);
            return true;
        }
        catch (DecoderFallbackException)
        {
            text = "";
            return false;
        }
    }
}
