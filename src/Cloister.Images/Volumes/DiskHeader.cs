using System.Buffers.Binary;

namespace Cloister.Images.Volumes;

/// <summary>The first block of a slot. Nothing in it is believed before its digest is what the coordinator remembers.</summary>
/// <param name="Version">Number of the commit, from 1.</param>
/// <param name="Length">Bytes of the archive in the chunks.</param>
/// <param name="Salt">32 bytes, fresh for every commit.</param>
/// <param name="KeyId">16 bytes that tell which key it wants.</param>
/// <param name="Commitment">32 bytes that only the right key and identity yield.</param>
/// <param name="Tags">SHA-256 over the chunks' tags, in order.</param>
internal sealed record DiskHeader(ulong Version, long Length, byte[] Salt, byte[] KeyId, byte[] Commitment, byte[] Tags)
{
    public const ushort FormatVersion = 1;
    public const int Used = 144, SaltSize = 32, KeyIdSize = 16, CommitmentSize = 32, TagsSize = 32;

    private static ReadOnlySpan<byte> Magic => "CLOISTDK"u8;

    /// <summary>Whether a block begins like a header of any format version.</summary>
    public static bool IsHeader(ReadOnlySpan<byte> block) => block.StartsWith(Magic);

    /// <summary>The key id that a header states, whatever else it says.</summary>
    public static ReadOnlySpan<byte> KeyIdOf(ReadOnlySpan<byte> block) => block[64..80];

    public void Write(Span<byte> block)
    {
        block.Clear();
        Magic.CopyTo(block);
        BinaryPrimitives.WriteUInt16LittleEndian(block[8..], FormatVersion);
        BinaryPrimitives.WriteUInt32LittleEndian(block[12..], DiskLayout.SealedChunk);
        BinaryPrimitives.WriteUInt64LittleEndian(block[16..], Version);
        BinaryPrimitives.WriteInt64LittleEndian(block[24..], Length);
        Salt.CopyTo(block[32..]);
        KeyId.CopyTo(block[64..]);
        Commitment.CopyTo(block[80..]);
        Tags.CopyTo(block[112..]);
    }

    /// <exception cref="ImageException"><see cref="ImageError.DiskFormat"/> or <see cref="ImageError.DiskChanged"/>.</exception>
    public static DiskHeader Read(ReadOnlySpan<byte> block)
    {
        if (block.Length != IBlockDevice.BlockSize || !IsHeader(block))
            throw Changed("it does not begin as one");
        if (BinaryPrimitives.ReadUInt16LittleEndian(block[8..]) is var format && format != FormatVersion)
            throw new ImageException(ImageError.DiskFormat, $"The sealed disk has format {format}; this image reads format {FormatVersion}. Start the image that wrote it.");
        if (BinaryPrimitives.ReadUInt16LittleEndian(block[10..]) != 0 || BinaryPrimitives.ReadUInt32LittleEndian(block[12..]) != DiskLayout.SealedChunk)
            throw Changed("its sizes are none of this format");
        if (block[Used..].ContainsAnyExcept((byte)0))
            throw Changed("something follows it");
        ulong version = BinaryPrimitives.ReadUInt64LittleEndian(block[16..]);
        long length = BinaryPrimitives.ReadInt64LittleEndian(block[24..]);
        if (version == 0 || length <= 0)
            throw Changed("its version or length is none");
        return new DiskHeader(version, length, block[32..64].ToArray(), block[64..80].ToArray(), block[80..112].ToArray(), block[112..144].ToArray());
    }

    /// <summary>Fuzz target: a header or a refusal.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> block)
    {
        try
        {
            _ = Read(block);
        }
        catch (ImageException)
        {
            // The documented refusal.
        }
    }

    private static ImageException Changed(string why) => new(ImageError.DiskChanged, $"The header of the sealed disk is not one: {why}. Give the machine the disk that it wrote last.");
}
