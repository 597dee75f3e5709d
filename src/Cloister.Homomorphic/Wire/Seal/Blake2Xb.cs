using System.Buffers.Binary;
using System.Runtime.Intrinsics;
using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>
/// BLAKE2Xb (Aumasson, Neves, Wilcox-O'Hearn, Winnerlein: "BLAKE2X"): a keyed hash of any length. The hash of the message, its root of 64 bytes, is hashed
/// once for every 64 bytes of output, each time under another node offset: these nodes are independent, and run in lanes.
/// </summary>
internal static unsafe class Blake2Xb
{
    internal const int NodeBytes = 64;

    private const int NodeWords = NodeBytes / 8;

    /// <summary>Fills the output, whose length enters the hash.</summary>
    internal static void Hash(ReadOnlySpan<byte> message, ReadOnlySpan<byte> key, Span<byte> output) => Hash(message, key, output, VectorWidths.Best);

    internal static void Hash(ReadOnlySpan<byte> message, ReadOnlySpan<byte> key, Span<byte> output, VectorWidth width)
    {
        if (output.IsEmpty) throw new ArgumentException("The output is empty.", nameof(output));
        Span<byte> root = stackalloc byte[NodeBytes];
        Blake2b.Hash(message, root, key, RootParameters(key.Length), (ulong)output.Length << 32, 0);
        Nodes(root, output, width);
    }

    /// <summary>The first word of the root's parameter block; the second is the output's length in its upper half, the others are zero.</summary>
    internal static ulong RootParameters(int keyLength) => NodeBytes | (uint)keyLength << 8 | 1UL << 16 | 1UL << 24;

    /// <summary>The output that a root stands for.</summary>
    internal static void Nodes(ReadOnlySpan<byte> root, Span<byte> output, VectorWidth width)
    {
        ulong length = (ulong)output.Length << 32;
        int whole = output.Length / NodeBytes, done = width switch
        {
            VectorWidth.Wide512 when BitConverter.IsLittleEndian => Nodes<Words8, Vector512<ulong>>(root, length, output, whole),
            VectorWidth.Wide256 when BitConverter.IsLittleEndian => Nodes<Words4, Vector256<ulong>>(root, length, output, whole),
            _ => 0,
        };
        for (int node = done; node * NodeBytes < output.Length; node++)
        {
            Span<byte> target = output.Slice(node * NodeBytes, Math.Min(NodeBytes, output.Length - node * NodeBytes));
            Blake2b.Hash(root, target, default, (uint)target.Length | (ulong)NodeBytes << 32, length | (uint)node, (ulong)NodeBytes << 8);
        }
    }

    // Whole nodes, as many at once as there are lanes; returns how many were done. The message of all is the root, the rest of its block is zero.
    private static int Nodes<TLanes, TWords>(ReadOnlySpan<byte> root, ulong length, Span<byte> output, int whole)
        where TLanes : struct, IWords<TWords>
        where TWords : unmanaged
    {
        ReadOnlySpan<ulong> vector = Blake2b.InitialVector;
        TWords* block = stackalloc TWords[16], state = stackalloc TWords[8];
        for (int i = 0; i < 16; i++) block[i] = TLanes.Broadcast(i < NodeWords ? BinaryPrimitives.ReadUInt64LittleEndian(root[(i * 8)..]) : 0);
        int node = 0;
        for (; node + TLanes.Count <= whole; node += TLanes.Count)
        {
            for (int i = 0; i < 8; i++) state[i] = TLanes.Broadcast(vector[i]);
            state[0] = TLanes.Xor(state[0], TLanes.Broadcast(NodeBytes | (ulong)NodeBytes << 32));
            for (int lane = 0; lane < TLanes.Count; lane++) ((ulong*)(state + 1))[lane] ^= length | (uint)(node + lane);
            state[2] = TLanes.Xor(state[2], TLanes.Broadcast((ulong)NodeBytes << 8));
            Blake2bCompression<TLanes, TWords>.Run(state, block, NodeBytes, last: true);
            fixed (byte* hashes = output.Slice(node * NodeBytes, TLanes.Count * NodeBytes)) TLanes.Store(state, hashes);
        }
        return node;
    }
}
