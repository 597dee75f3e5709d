using System.Numerics;
using System.Security.Cryptography;

namespace Cloister.Sealing;

/// <summary>The Merkle tree of RFC 6962, 2.1 with SHA-256: a leaf is SHA-256(0x00 ‖ chunk), a node SHA-256(0x01 ‖ left ‖ right), so neither passes for the other.</summary>
internal static class HashTree
{
    public const int HashSize = 32;
    public const byte LeafPrefix = 0;
    private const byte NodePrefix = 1;

    /// <summary>The hash of one chunk.</summary>
    /// <param name="prefixedChunk"><see cref="LeafPrefix"/> and then the chunk's ciphertext and tag, in one piece so that nothing is copied.</param>
    /// <param name="hash">32 bytes.</param>
    public static void Leaf(ReadOnlySpan<byte> prefixedChunk, Span<byte> hash)
    {
        if (prefixedChunk.IsEmpty || prefixedChunk[0] != LeafPrefix)
            throw new ArgumentException("A leaf begins with its prefix.", nameof(prefixedChunk));
        SHA256.HashData(prefixedChunk, hash);
    }

    /// <summary>The root over a table of leaf hashes, 32 bytes each, at least one.</summary>
    public static byte[] Root(ReadOnlySpan<byte> leaves)
    {
        if (leaves.IsEmpty || leaves.Length % HashSize != 0)
            throw new ArgumentException("A tree has one or more whole leaves.", nameof(leaves));
        byte[] root = new byte[HashSize];
        Fold(leaves, root);
        return root;
    }

    // Depth is the logarithm of the leaf count: 20 levels at most.
    private static void Fold(ReadOnlySpan<byte> leaves, Span<byte> hash)
    {
        int count = leaves.Length / HashSize;
        if (count == 1)
        {
            leaves.CopyTo(hash);
            return;
        }
        int left = (int)BitOperations.RoundUpToPowerOf2((uint)count) / 2; // the largest power of two below count
        Span<byte> node = stackalloc byte[1 + (2 * HashSize)];
        node[0] = NodePrefix;
        Fold(leaves[..(left * HashSize)], node.Slice(1, HashSize));
        Fold(leaves[(left * HashSize)..], node[(1 + HashSize)..]);
        SHA256.HashData(node, hash);
    }
}
