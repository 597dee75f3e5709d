using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>BLAKE2b, RFC 7693: what SEAL names parameters by and expands seeds with. No branch or address depends on what is hashed. Here it hashes public data only.</summary>
internal static class Blake2b
{
    internal const int BlockBytes = 128, MaximumBytes = 64;

    /// <summary>RFC 7693, 2.6.</summary>
    internal static ReadOnlySpan<ulong> InitialVector =>
    [
        0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
        0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
    ];

    /// <summary>RFC 7693, 2.7; rounds 10 and 11 are 0 and 1 again.</summary>
    internal static ReadOnlySpan<byte> Schedule =>
    [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3,
        11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4,
        7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8,
        9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13,
        2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9,
        12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11,
        13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10,
        6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5,
        10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0,
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3,
    ];

    /// <summary>The hash of a message, 1 to 64 bytes of it as the target is long, under a key of 0 to 64 bytes.</summary>
    internal static void Hash(ReadOnlySpan<byte> message, Span<byte> hash, ReadOnlySpan<byte> key = default) =>
        Hash(message, hash, key, (uint)hash.Length | (uint)key.Length << 8 | 1UL << 16 | 1UL << 24, 0, 0);

    /// <summary>The hash under a parameter block (BLAKE2, 2.5) of three words; salt and personalisation are zero.</summary>
    internal static unsafe void Hash(ReadOnlySpan<byte> message, Span<byte> hash, ReadOnlySpan<byte> key, ulong parameters0, ulong parameters1, ulong parameters2)
    {
        if (hash.Length is 0 or > MaximumBytes) throw new ArgumentException("A hash has 1 to 64 bytes.", nameof(hash));
        if (key.Length > MaximumBytes) throw new ArgumentException("A key has at most 64 bytes.", nameof(key));
        ulong* state = stackalloc ulong[8], words = stackalloc ulong[16];
        InitialVector.CopyTo(new Span<ulong>(state, 8));
        state[0] ^= parameters0;
        state[1] ^= parameters1;
        state[2] ^= parameters2;
        Span<byte> block = stackalloc byte[BlockBytes];
        ulong hashed = 0;
        if (!key.IsEmpty)
        {
            // The key, padded to a block, comes before the message.
            block.Clear();
            key.CopyTo(block);
            ToWords(block, words);
            Blake2bCompression<Words1, ulong>.Run(state, words, hashed += BlockBytes, message.IsEmpty);
        }
        for (bool first = key.IsEmpty; first || !message.IsEmpty; first = false)
        {
            int count = Math.Min(message.Length, BlockBytes);
            block.Clear();
            message[..count].CopyTo(block);
            message = message[count..];
            ToWords(block, words);
            Blake2bCompression<Words1, ulong>.Run(state, words, hashed += (ulong)count, message.IsEmpty);
        }
        for (int i = 0; i < 8; i++) BinaryPrimitives.WriteUInt64LittleEndian(block[(i * 8)..], state[i]);
        block[..hash.Length].CopyTo(hash);
    }

    private static unsafe void ToWords(ReadOnlySpan<byte> block, ulong* words)
    {
        for (int i = 0; i < 16; i++) words[i] = BinaryPrimitives.ReadUInt64LittleEndian(block[(i * 8)..]);
    }
}

/// <summary>The compression function (RFC 7693, 3.2) of as many hashes as there are lanes.</summary>
internal static unsafe class Blake2bCompression<TLanes, TWords>
    where TLanes : struct, IWords<TWords>
    where TWords : unmanaged
{
    /// <summary>Mixes a block of each hash into its state.</summary>
    /// <param name="state">8 words a hash.</param>
    /// <param name="block">16 words a hash.</param>
    /// <param name="hashed">Bytes up to the end of this block, the same in all lanes.</param>
    /// <param name="last">Whether this is the last block, in all lanes.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal static void Run(TWords* state, TWords* block, ulong hashed, bool last)
    {
        ReadOnlySpan<ulong> vector = Blake2b.InitialVector;
        TWords v0 = state[0], v1 = state[1], v2 = state[2], v3 = state[3], v4 = state[4], v5 = state[5], v6 = state[6], v7 = state[7];
        TWords v8 = TLanes.Broadcast(vector[0]), v9 = TLanes.Broadcast(vector[1]), v10 = TLanes.Broadcast(vector[2]), v11 = TLanes.Broadcast(vector[3]);
        TWords v12 = TLanes.Broadcast(vector[4] ^ hashed), v13 = TLanes.Broadcast(vector[5]), v14 = TLanes.Broadcast(last ? ~vector[6] : vector[6]), v15 = TLanes.Broadcast(vector[7]);
        fixed (byte* schedule = Blake2b.Schedule)
        {
            for (byte* s = schedule; s < schedule + 12 * 16; s += 16)
            {
                Mix(ref v0, ref v4, ref v8, ref v12, block[s[0]], block[s[1]]);
                Mix(ref v1, ref v5, ref v9, ref v13, block[s[2]], block[s[3]]);
                Mix(ref v2, ref v6, ref v10, ref v14, block[s[4]], block[s[5]]);
                Mix(ref v3, ref v7, ref v11, ref v15, block[s[6]], block[s[7]]);
                Mix(ref v0, ref v5, ref v10, ref v15, block[s[8]], block[s[9]]);
                Mix(ref v1, ref v6, ref v11, ref v12, block[s[10]], block[s[11]]);
                Mix(ref v2, ref v7, ref v8, ref v13, block[s[12]], block[s[13]]);
                Mix(ref v3, ref v4, ref v9, ref v14, block[s[14]], block[s[15]]);
            }
        }
        state[0] = TLanes.Xor(state[0], TLanes.Xor(v0, v8));
        state[1] = TLanes.Xor(state[1], TLanes.Xor(v1, v9));
        state[2] = TLanes.Xor(state[2], TLanes.Xor(v2, v10));
        state[3] = TLanes.Xor(state[3], TLanes.Xor(v3, v11));
        state[4] = TLanes.Xor(state[4], TLanes.Xor(v4, v12));
        state[5] = TLanes.Xor(state[5], TLanes.Xor(v5, v13));
        state[6] = TLanes.Xor(state[6], TLanes.Xor(v6, v14));
        state[7] = TLanes.Xor(state[7], TLanes.Xor(v7, v15));
    }

    // RFC 7693, 3.1. What comes last of a, b and the block's word is b: it is added last.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix(ref TWords a, ref TWords b, ref TWords c, ref TWords d, TWords x, TWords y)
    {
        a = TLanes.Add(TLanes.Add(a, x), b);
        d = TLanes.RotateRight(TLanes.Xor(d, a), 32);
        c = TLanes.Add(c, d);
        b = TLanes.RotateRight(TLanes.Xor(b, c), 24);
        a = TLanes.Add(TLanes.Add(a, y), b);
        d = TLanes.RotateRight(TLanes.Xor(d, a), 16);
        c = TLanes.Add(c, d);
        b = TLanes.RotateRight(TLanes.Xor(b, c), 63);
    }
}
