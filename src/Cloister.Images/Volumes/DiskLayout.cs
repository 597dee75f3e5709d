namespace Cloister.Images.Volumes;

/// <summary>Where things are on a sealed disk (docs/formats/sealed-disk.md): two slots of one size, in each a header block and chunks.</summary>
public sealed class DiskLayout
{
    /// <summary>Bytes of a sealed chunk, tag included: whole blocks.</summary>
    internal const int SealedChunk = 64 << 10;

    /// <summary>Bytes of a chunk's content.</summary>
    internal const int Chunk = SealedChunk - TagSize;

    internal const int TagSize = 16;

    /// <summary>MiB of content that a disk may have.</summary>
    public const int MinSize = 1, MaxSize = 65_536;

    /// <summary>The layout of a disk for so many MiB of content.</summary>
    /// <param name="size">MiB, as in the image's definition.</param>
    public DiskLayout(int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, MinSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, MaxSize);
        MaxContent = (long)size << 20;
        MaxEntries = size * 256;
        // A tmpfs gives every entry with content a page of its own; names and attributes of as many entries as it has pages fit an eighth.
        MaxArchive = MaxContent + (MaxContent / 8) + (64 << 10);
        Chunks = (MaxArchive + Chunk - 1) / Chunk;
    }

    /// <summary>Bytes of a whole disk: what its file on the host has to have, exactly.</summary>
    public long DiskSize => 2 * SlotSize;

    /// <summary>Bytes of files' content.</summary>
    public long MaxContent { get; }

    /// <summary>Files, folders and links in all.</summary>
    public int MaxEntries { get; }

    internal long MaxArchive { get; }

    internal long Chunks { get; }

    internal long SlotSize => IBlockDevice.BlockSize + (Chunks * SealedChunk);

    /// <summary>Where the slot of a version begins: commits take turns.</summary>
    internal long SlotOf(ulong version) => (version & 1) == 0 ? 0 : SlotSize;

    internal static long ChunksFor(long archive) => Math.Max(1, (archive + Chunk - 1) / Chunk);
}
