namespace Cloister.Images.Build;

/// <summary>A read-only root and the tree that proves every block of it (dm-verity, version 1, SHA-256, 4096-byte blocks).</summary>
/// <param name="Path">The file: data blocks, then the tree.</param>
/// <param name="DataBlocks">Blocks of data; the tree begins behind them.</param>
/// <param name="RootHash">SHA-256 at the tree's top, 32 bytes.</param>
/// <param name="Salt">The tree's salt, 32 bytes.</param>
public sealed record RootDisk(string Path, long DataBlocks, ReadOnlyMemory<byte> RootHash, ReadOnlyMemory<byte> Salt)
{
    /// <summary>Bytes of a block.</summary>
    public const int BlockSize = 4096;
}
