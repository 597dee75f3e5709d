using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;

namespace Cloister.Sealing;

/// <summary>Header bytes to fields and back (docs/formats/sealed-file.md, "Header"). Each header has one encoding.</summary>
internal static class SealedHeaderCodec
{
    private const int KeyIdAt = 16, SaltAt = 32, ContentVersionAt = 64, ChunkSizeAt = 72, EntryCountAt = 76, NameLengthAt = 78;

    /// <summary>The first 16 bytes: everything that says how the rest is framed.</summary>
    /// <param name="HeaderSize">Bytes in the header, these 16 included.</param>
    /// <param name="SignatureAlgorithm">How the maker signed, which gives the size of the trust block.</param>
    public readonly record struct Preamble(int HeaderSize, SignatureAlgorithm SignatureAlgorithm);

    /// <param name="start">The file's first 16 bytes, or all of it where it is shorter.</param>
    public static Preamble ReadPreamble(ReadOnlySpan<byte> start)
    {
        ReadOnlySpan<byte> magic = SealedFormat.Magic;
        if (!start[..Math.Min(start.Length, magic.Length)].SequenceEqual(magic[..Math.Min(start.Length, magic.Length)]))
            throw new SealingException(SealingError.NotASealedFile, "This is not a sealed file. Give the file that \"cloister model seal\" wrote.");
        if (start.Length < SealedFormat.PreambleSize)
            throw Truncated();
        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(start[8..]);
        if (version != SealedFormat.Version)
            throw new SealingException(SealingError.UnknownVersion, $"Format version {version} is unknown; this program reads version {SealedFormat.Version}. Use a newer program.");
        if (start[10] != SealedFormat.Aes256GcmSha256)
            throw new SealingException(SealingError.UnknownAlgorithm, $"Content algorithm {start[10]} is unknown; this program knows {SealedFormat.Aes256GcmSha256} (AES-256-GCM, SHA-256). Use a newer program.");
        var signature = (SignatureAlgorithm)start[11];
        _ = MakerPublicKey.SpkiSize(signature); // refuses an unknown one
        uint size = BinaryPrimitives.ReadUInt32LittleEndian(start[12..]);
        if (size is < SealedFormat.FixedHeaderSize or > SealedFormat.MaxHeaderSize)
            throw new SealingException(SealingError.HeaderSize, $"The header says that it has {size} bytes; {SealedFormat.FixedHeaderSize} to {SealedFormat.MaxHeaderSize} are possible.");
        return new Preamble((int)size, signature);
    }

    /// <param name="bytes">The whole header, whose preamble was read.</param>
    public static SealedHeader Read(ReadOnlySpan<byte> bytes)
    {
        Preamble preamble = ReadPreamble(bytes);
        if (bytes.Length != preamble.HeaderSize)
            throw Malformed("its length differs from what it says");
        long version = BinaryPrimitives.ReadInt64LittleEndian(bytes[ContentVersionAt..]);
        int chunkSize = BinaryPrimitives.ReadInt32LittleEndian(bytes[ChunkSizeAt..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(bytes[EntryCountAt..]);
        ReadOnlySpan<byte> rest = bytes[SealedFormat.FixedHeaderSize..];
        string name = TakeText(ref rest, BinaryPrimitives.ReadUInt16LittleEndian(bytes[NameLengthAt..]));
        if (count > SealedFormat.MaxEntries)
            throw TooMany(count);
        var entries = ImmutableArray.CreateBuilder<SealedEntry>(count);
        for (int i = 0; i < count; i++)
        {
            if (rest.Length < 10)
                throw Malformed("an entry is cut off");
            long length = BinaryPrimitives.ReadInt64LittleEndian(rest);
            int nameLength = BinaryPrimitives.ReadUInt16LittleEndian(rest[8..]);
            rest = rest[10..];
            entries.Add(new SealedEntry(TakeText(ref rest, nameLength), length));
        }
        if (!rest.IsEmpty)
            throw Malformed("bytes follow its last entry");
        var header = new SealedHeader(SealedFormat.Version, preamble.SignatureAlgorithm,
            Convert.ToHexStringLower(bytes.Slice(KeyIdAt, SealedFormat.KeyIdSize)), name, version, chunkSize,
            bytes.Slice(SaltAt, SealedFormat.SaltSize).ToArray(), entries.MoveToImmutable());
        Check(header);
        return header;
    }

    /// <summary>The one encoding of a header that <see cref="Check"/> accepts.</summary>
    public static byte[] Write(SealedHeader header)
    {
        int size = SealedFormat.FixedHeaderSize + header.Name.Length + header.Entries.Sum(entry => 10 + entry.Name.Length);
        byte[] bytes = new byte[size];
        SealedFormat.Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(8), SealedFormat.Version);
        bytes[10] = SealedFormat.Aes256GcmSha256;
        bytes[11] = (byte)header.SignatureAlgorithm;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), size);
        Convert.FromHexString(header.KeyId).CopyTo(bytes, KeyIdAt);
        header.Salt.CopyTo(bytes.AsMemory(SaltAt));
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(ContentVersionAt), header.Version);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(ChunkSizeAt), header.ChunkSize);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(EntryCountAt), checked((ushort)header.Entries.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(NameLengthAt), checked((ushort)header.Name.Length));
        int at = SealedFormat.FixedHeaderSize;
        at += Encoding.Latin1.GetBytes(header.Name, bytes.AsSpan(at));
        foreach (SealedEntry entry in header.Entries)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), entry.Length);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(at + 8), checked((ushort)entry.Name.Length));
            at += 10 + Encoding.Latin1.GetBytes(entry.Name, bytes.AsSpan(at + 10));
        }
        return bytes;
    }

    /// <summary>What writer and reader both insist on.</summary>
    public static void Check(SealedHeader header)
    {
        EntryNames.CheckContentName(header.Name);
        if (header.Version < 0)
            throw new SealingException(SealingError.InvalidContentVersion, $"The content's version is {header.Version}; versions begin at 0.");
        if (header.ChunkSize != SealedFormat.ChunkSize)
            throw new SealingException(SealingError.UnknownChunkSize, $"The chunk size is {header.ChunkSize}; format version 1 has {SealedFormat.ChunkSize}.");
        if (header.Entries.IsEmpty)
            throw new SealingException(SealingError.NoEntries, "There is no entry. Give at least one file to seal.");
        if (header.Entries.Length > SealedFormat.MaxEntries)
            throw TooMany(header.Entries.Length);
        long total = 0;
        foreach (SealedEntry entry in header.Entries)
        {
            // Both sides are at most 2^40 before the addition, so it cannot overflow.
            if (entry.Length is < 0 or > SealedFormat.MaxContentLength || (total += entry.Length) > SealedFormat.MaxContentLength)
                throw new SealingException(SealingError.ContentSize, $"The entries' lengths must be 0 or more and at most {SealedFormat.MaxContentLength} bytes together.");
        }
        EntryNames.Check(header.Entries.Select(entry => entry.Name));
    }

    public static SealingException Truncated() =>
        new(SealingError.Truncated, "The sealed file ends too early. Copy it again from its maker.");

    // Latin-1 maps every byte to one character; the check for printable ASCII that follows refuses all above '~'.
    private static string TakeText(ref ReadOnlySpan<byte> rest, int length)
    {
        if (rest.Length < length)
            throw Malformed("a name is cut off");
        string text = Encoding.Latin1.GetString(rest[..length]);
        rest = rest[length..];
        return text;
    }

    private static SealingException TooMany(int count) =>
        new(SealingError.TooManyEntries, $"{count} entries; at most {SealedFormat.MaxEntries} are possible. Join small files into one.");

    private static SealingException Malformed(string why) =>
        new(SealingError.MalformedHeader, $"The sealed file's header is malformed: {why}. Copy it again from its maker.");
}
