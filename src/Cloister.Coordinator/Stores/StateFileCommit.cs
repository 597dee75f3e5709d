using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;

namespace Cloister.Coordinator.Stores;

/// <summary>
/// A commit that stands after the records of a state file. It begins at a multiple of eight bytes with its length and the complement of that:
/// a disk writes these eight bytes together, so that a length is right, or missing because the machine stopped, or damaged.
/// </summary>
internal static class StateFileCommit
{
    public const int Alignment = 8;
    private const int HeaderBytes = 4 + 4, FixedBytes = 8 + 4, WriteBytes = 2 + 4, DigestBytes = SHA256.HashSizeInBytes;

    /// <summary>What the commit of this revision adds to a file whose last digest is <paramref name="before"/>, and the digest after it.</summary>
    public static (byte[] Bytes, byte[] Digest) Encode(long revision, IReadOnlyDictionary<string, ReadOnlyMemory<byte>?> puts, ReadOnlySpan<byte> before)
    {
        var writer = new ArrayBufferWriter<byte>(1024);
        writer.Write(stackalloc byte[HeaderBytes]);
        StateFileText.Write(writer, revision);
        StateFileText.Write(writer, (uint)puts.Count);
        foreach ((string name, ReadOnlyMemory<byte>? value) in puts.OrderBy(put => put.Key, StringComparer.Ordinal))
        {
            StateFileText.WriteName(writer, name);
            StateFileText.Write(writer, (uint)value!.Value.Length);
            writer.Write(value.Value.Span);
        }
        uint length = (uint)(writer.WrittenCount - HeaderBytes);
        byte[] digest = Digest(before, writer.WrittenSpan[HeaderBytes..]);
        writer.Write(digest);
        Align(writer);
        byte[] bytes = writer.WrittenSpan.ToArray();
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, length);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), ~length);
        return (bytes, digest);
    }

    /// <summary>
    /// Applies the commit at the beginning of <paramref name="rest"/>. False at the end of the file, or where a commit was begun and is not whole;
    /// that can only be the last. Throws <see cref="StoreException"/> (Corrupt) for what no crash leaves.
    /// </summary>
    public static bool TryRead(
        ReadOnlySpan<byte> rest, long revision, ReadOnlySpan<byte> before, ImmutableSortedDictionary<string, StoreRecord>.Builder records, out int taken, out byte[] digest)
    {
        (taken, digest) = (0, []);
        if (rest.Length < HeaderBytes || BinaryPrimitives.ReadUInt64LittleEndian(rest) == 0)
            return false;
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(rest);
        if (BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]) != ~length || length < FixedBytes)
            throw StateFile.Corrupt("the length of a commit is wrong");
        long end = HeaderBytes + (long)length, aligned = end + DigestBytes + Padding(end + DigestBytes);
        if (aligned > rest.Length)
            return false;
        ReadOnlySpan<byte> body = rest[HeaderBytes..(int)end];
        digest = Digest(before, body);
        if (!digest.AsSpan().SequenceEqual(rest.Slice((int)end, DigestBytes)) || rest[((int)end + DigestBytes)..(int)aligned].ContainsAnyExcept((byte)0))
            return aligned == rest.Length ? false : throw StateFile.Corrupt("the checksum of a commit is wrong");
        Apply(body, revision + 1, records);
        taken = (int)aligned;
        return true;
    }

    public static int Aligned(int length) => length + (int)Padding(length);

    public static void Align(ArrayBufferWriter<byte> writer) => writer.Write("\0\0\0\0\0\0\0\0"u8[..(int)Padding(writer.WrittenCount)]);

    private static long Padding(long length) => -length & (Alignment - 1);

    private static void Apply(ReadOnlySpan<byte> body, long revision, ImmutableSortedDictionary<string, StoreRecord>.Builder records)
    {
        if (StateFileText.ReadNumber(ref body) != revision)
            throw StateFile.Corrupt("a commit is missing");
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(body);
        body = body[4..];
        if (count > body.Length / WriteBytes)
            throw StateFile.Corrupt("its counts are impossible");
        string? last = null;
        for (uint i = 0; i < count; i++)
        {
            string name = StateFileText.ReadName(ref body);
            if (string.CompareOrdinal(last, name) >= 0)
                throw StateFile.Corrupt("its records are not in order");
            records[last = name] = new StoreRecord(StateFileText.ReadValue(ref body).ToArray(), revision);
        }
        if (!body.IsEmpty || records.Count > StateFile.MaxRecords)
            throw StateFile.Corrupt("bytes follow the last record of a commit");
    }

    private static byte[] Digest(ReadOnlySpan<byte> before, ReadOnlySpan<byte> body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(before);
        hash.AppendData(body);
        return hash.GetHashAndReset();
    }
}
