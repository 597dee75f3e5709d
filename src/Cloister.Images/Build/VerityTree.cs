using System.Security.Cryptography;

namespace Cloister.Images.Build;

/// <summary>
/// Writes the tree that dm-verity checks blocks against (the kernel's Documentation/admin-guide/device-mapper/verity.rst): version 1,
/// SHA-256 over salt and block, 4096-byte blocks, no superblock. Levels lie behind the data, the top one first.
/// </summary>
internal static class VerityTree
{
    private const int Block = RootDisk.BlockSize, DigestSize = SHA256.HashSizeInBytes, PerBlock = Block / DigestSize, BlocksAtOnce = 256;

    /// <summary>Appends the tree to a file of whole blocks.</summary>
    /// <exception cref="ImageException">The file is empty or has no whole blocks.</exception>
    public static async Task<RootDisk> AppendAsync(string path, IProgress<BuildProgress>? progress, CancellationToken cancellation)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.Asynchronous);
        long blocks = Blocks(file.Length, path);
        byte[] salt = await SaltAsync(file, blocks, cancellation);
        (byte[] hash, List<byte[]> levels) = await ComputeAsync(file, blocks, salt, progress, cancellation);
        file.Position = blocks * Block;
        for (int level = levels.Count - 1; level >= 0; level--)
            await file.WriteAsync(levels[level], cancellation);
        file.Flush(flushToDisk: true);
        return new RootDisk(path, blocks, hash, salt);
    }

    /// <summary>Whether a disk's data and tree are those of its root hash.</summary>
    public static async Task<bool> IsIntactAsync(RootDisk disk, CancellationToken cancellation)
    {
        await using var file = new FileStream(disk.Path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous);
        if (disk.DataBlocks < 1 || file.Length != (disk.DataBlocks + TreeBlocks(disk.DataBlocks)) * Block) return false;
        (byte[] hash, List<byte[]> levels) = await ComputeAsync(file, disk.DataBlocks, disk.Salt.ToArray(), null, cancellation);
        return hash.AsSpan().SequenceEqual(disk.RootHash.Span) && await HasTreeAsync(file, disk.DataBlocks, levels, cancellation);
    }

    private static ImageException Differ(string path) => new(ImageError.MeasurementsDiffer, $"'{path}' is no root with its tree: it was changed.");

    private static async Task<bool> HasTreeAsync(FileStream file, long blocks, List<byte[]> levels, CancellationToken cancellation)
    {
        file.Position = blocks * Block;
        for (int level = levels.Count - 1; level >= 0; level--)
        {
            byte[] stored = new byte[levels[level].Length];
            await file.ReadExactlyAsync(stored, cancellation);
            if (!stored.AsSpan().SequenceEqual(levels[level])) return false;
        }
        return true;
    }

    /// <summary>Computes what a written disk is, from its bytes alone: so many blocks can be split into data and tree in one way only.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.MeasurementsDiffer"/>: its tree is not that of its data.</exception>
    public static async Task<RootDisk> ReadAsync(string path, IProgress<BuildProgress>? progress, CancellationToken cancellation)
    {
        long length = new FileInfo(path).Length, blocks = length / Block;
        // The tree is a little less than a 127th of the data; it grows with it, so a search by halves finds the split.
        (long low, long high) = (0, blocks);
        while (low < high)
        {
            long middle = (low + high + 1) / 2;
            if (middle + TreeBlocks(middle) <= blocks) low = middle;
            else high = middle - 1;
        }
        if (low == 0 || low + TreeBlocks(low) != blocks || length % Block != 0) throw Differ(path);
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous);
        byte[] salt = await SaltAsync(file, low, cancellation);
        (byte[] hash, List<byte[]> levels) = await ComputeAsync(file, low, salt, progress, cancellation);
        return await HasTreeAsync(file, low, levels, cancellation) ? new RootDisk(path, low, hash, salt) : throw Differ(path);
    }

    /// <summary>Blocks of a tree over so many blocks of data.</summary>
    public static long TreeBlocks(long dataBlocks)
    {
        long all = 0;
        for (long below = dataBlocks; below > 1;)
            all += below = (below + PerBlock - 1) / PerBlock;
        return all;
    }

    private static long Blocks(long length, string path) =>
        length > 0 && length % Block == 0 ? length / Block : throw new ImageException(ImageError.ToolFailed, $"'{path}' has {length:N0} bytes, which are not whole blocks.");

    // The salt only has to be fixed and to differ between roots: what it is made of is the data itself.
    private static async Task<byte[]> SaltAsync(FileStream file, long blocks, CancellationToken cancellation)
    {
        using var slice = new SliceStream(file.SafeFileHandle, 0, blocks * Block);
        byte[] data = await SHA256.HashDataAsync(slice, cancellation);
        return SHA256.HashData([.. "cloister root salt\0"u8, .. data]);
    }

    private static async Task<(byte[] Hash, List<byte[]> Levels)> ComputeAsync(FileStream file, long blocks, byte[] salt, IProgress<BuildProgress>? progress, CancellationToken cancellation)
    {
        byte[] digests = new byte[blocks * DigestSize];
        byte[] buffer = new byte[BlocksAtOnce * Block];
        file.Position = 0;
        for (long first = 0; first < blocks; first += BlocksAtOnce)
        {
            int count = (int)Math.Min(BlocksAtOnce, blocks - first);
            await file.ReadExactlyAsync(buffer.AsMemory(0, count * Block), cancellation);
            HashBlocks(buffer.AsSpan(0, count * Block), salt, digests.AsSpan((int)(first * DigestSize)));
            progress?.Report(new BuildProgress(BuildStage.Verity, (first + count) * Block, blocks * Block));
        }
        var levels = new List<byte[]>();
        while (digests.Length > DigestSize)
        {
            byte[] level = new byte[(digests.Length + Block - 1) / Block * Block];
            digests.CopyTo(level, 0);
            levels.Add(level);
            digests = new byte[level.Length / Block * DigestSize];
            HashBlocks(level, salt, digests);
        }
        return (digests, levels);
    }

    private static void HashBlocks(ReadOnlySpan<byte> blocks, ReadOnlySpan<byte> salt, Span<byte> digests)
    {
        Span<byte> salted = stackalloc byte[DigestSize + Block];
        salt.CopyTo(salted);
        for (int index = 0; index * Block < blocks.Length; index++)
        {
            blocks.Slice(index * Block, Block).CopyTo(salted[DigestSize..]);
            SHA256.HashData(salted, digests[(index * DigestSize)..]);
        }
    }
}
