using System.Buffers.Binary;
using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>
/// BLAKE2Xb (Aumasson, Neves, Wilcox-O'Hearn, Winnerlein: "BLAKE2X"): a keyed hash of any length. The hash of the message, 64 bytes, is hashed once
/// for every 64 bytes of output, each time under another node offset: these hashes are independent, and run in lanes.
/// </summary>
internal static unsafe class Blake2Xb
{
    private const int NodeBytes = 64, NodeWords = NodeBytes / 8;

    /// <summary>Fills the output, whose length enters the hash.</summary>
    internal static void Hash(ReadOnlySpan<byte> message, ReadOnlySpan<byte> key, Span<byte> output) => Hash(message, key, output, VectorWidths.Best);

    internal static void Hash(ReadOnlySpan<byte> message, ReadOnlySpan<byte> key, Span<byte> output, VectorWidth width)
    {
        if (output.IsEmpty) throw new ArgumentException("The output is empty.", nameof(output));
        Span<byte> root = stackalloc byte[NodeBytes];
        ulong length = (ulong)output.Length << 32;
        Blake2b.Hash(message, root, key, NodeBytes | (uint)key.Length << 8 | 1UL << 16 | 1UL << 24, length, 0);
        ulong* words = stackalloc ulong[NodeWords];
        for (int i = 0; i < NodeWords; i++) words[i] = BinaryPrimitives.ReadUInt64LittleEndian(root[(i * 8)..]);
        int whole = output.Length / NodeBytes, done = width switch
        {
            VectorWidth.Wide512 when BitConverter.IsLittleEndian => Nodes<Words8, System.Runtime.Intrinsics.Vector512<ulong>>(words, length, output, whole, 8),
            VectorWidth.Wide256 when BitConverter.IsLittleEndian => Nodes<Words4, System.Runtime.Intrinsics.Vector256<ulong>>(words, length, output, whole, 4),
            _ => 0,
        };
        for (int node = done; node * NodeBytes < output.Length; node++)
        {
            Span<byte> target = output.Slice(node * NodeBytes, Math.Min(NodeBytes, output.Length - node * NodeBytes));
            Blake2b.Hash(root, target, default, (uint)target.Length | (ulong)NodeBytes << 32, length | (uint)node, (ulong)NodeBytes << 8);
        }
    }

    // Whole nodes, as many at once as there are lanes; returns how many were done. The message of all is the root; its upper half is zero.
    private static int Nodes<TLanes, TWords>(ulong* root, ulong length, Span<byte> output, int whole, int lanes)
        where TLanes : struct, IWords<TWords>
        where TWords : unmanaged
    {
        ReadOnlySpan<ulong> vector = Blake2b.InitialVector;
        TWords* block = stackalloc TWords[16], state = stackalloc TWords[8];
        for (int i = 0; i < 16; i++) block[i] = TLanes.Broadcast(i < NodeWords ? root[i] : 0);
        int node = 0;
        for (; node + lanes <= whole; node += lanes)
        {
            for (int i = 0; i < 8; i++) state[i] = TLanes.Broadcast(vector[i]);
            state[0] = TLanes.Xor(state[0], TLanes.Broadcast(NodeBytes | (ulong)NodeBytes << 32));
            for (int lane = 0; lane < lanes; lane++) ((ulong*)(state + 1))[lane] ^= length | (uint)(node + lane);
            state[2] = TLanes.Xor(state[2], TLanes.Broadcast((ulong)NodeBytes << 8));
            Blake2bCompression<TLanes, TWords>.Run(state, block, NodeBytes, last: true);
            fixed (byte* bytes = output.Slice(node * NodeBytes, lanes * NodeBytes))
            {
                for (int lane = 0; lane < lanes; lane++)
                    for (int word = 0; word < 8; word++)
                        ((ulong*)bytes)[lane * 8 + word] = ((ulong*)(state + word))[lane];
            }
        }
        return node;
    }
}
