using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>64-bit words, one a lane: BLAKE2b is written once for any number of independent hashes side by side.</summary>
internal interface IWords<TWords>
    where TWords : unmanaged
{
    static abstract TWords Broadcast(ulong word);

    static abstract TWords Add(TWords a, TWords b);

    static abstract TWords Xor(TWords a, TWords b);

    static abstract TWords RotateRight(TWords a, [ConstantExpected] byte count);

    /// <summary>How many lanes there are.</summary>
    static abstract int Count { get; }

    /// <summary>Writes the 8 words of each hash, little-endian, hash after hash.</summary>
    static abstract unsafe void Store(TWords* state, byte* hashes);
}

/// <summary>One hash.</summary>
internal readonly struct Words1 : IWords<ulong>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Broadcast(ulong word) => word;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Add(ulong a, ulong b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Xor(ulong a, ulong b) => a ^ b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong RotateRight(ulong a, [ConstantExpected] byte count) => BitOperations.RotateRight(a, count);

    public static int Count => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Store(ulong* state, byte* hashes)
    {
        for (int i = 0; i < 8; i++) BinaryPrimitives.WriteUInt64LittleEndian(new Span<byte>(hashes + i * 8, 8), state[i]);
    }
}

/// <summary>Four hashes.</summary>
internal readonly struct Words4 : IWords<Vector256<ulong>>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ulong> Broadcast(ulong word) => Vector256.Create(word);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ulong> Add(Vector256<ulong> a, Vector256<ulong> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ulong> Xor(Vector256<ulong> a, Vector256<ulong> b) => a ^ b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ulong> RotateRight(Vector256<ulong> a, [ConstantExpected] byte count) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateRight(a, count) : a >>> count | a << (64 - count);

    public static int Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Store(Vector256<ulong>* state, byte* hashes)
    {
        for (int half = 0; half < 2; half++)
        {
            Vector256<double> r0 = state[half * 4].AsDouble(), r1 = state[half * 4 + 1].AsDouble(), r2 = state[half * 4 + 2].AsDouble(), r3 = state[half * 4 + 3].AsDouble();
            Butterfly256.Transpose(ref r0, ref r1, ref r2, ref r3);
            r0.AsByte().Store(hashes + half * 32);
            r1.AsByte().Store(hashes + half * 32 + 64);
            r2.AsByte().Store(hashes + half * 32 + 128);
            r3.AsByte().Store(hashes + half * 32 + 192);
        }
    }
}

/// <summary>Eight hashes.</summary>
internal readonly struct Words8 : IWords<Vector512<ulong>>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> Broadcast(ulong word) => Vector512.Create(word);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> Add(Vector512<ulong> a, Vector512<ulong> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> Xor(Vector512<ulong> a, Vector512<ulong> b) => a ^ b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> RotateRight(Vector512<ulong> a, [ConstantExpected] byte count) =>
        Avx512F.IsSupported ? Avx512F.RotateRight(a, count) : a >>> count | a << (64 - count);

    public static int Count => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Store(Vector512<ulong>* state, byte* hashes)
    {
        Vector512<double> r0 = state[0].AsDouble(), r1 = state[1].AsDouble(), r2 = state[2].AsDouble(), r3 = state[3].AsDouble();
        Vector512<double> r4 = state[4].AsDouble(), r5 = state[5].AsDouble(), r6 = state[6].AsDouble(), r7 = state[7].AsDouble();
        Butterfly512.Transpose(ref r0, ref r1, ref r2, ref r3, ref r4, ref r5, ref r6, ref r7);
        r0.AsByte().Store(hashes);
        r1.AsByte().Store(hashes + 64);
        r2.AsByte().Store(hashes + 128);
        r3.AsByte().Store(hashes + 192);
        r4.AsByte().Store(hashes + 256);
        r5.AsByte().Store(hashes + 320);
        r6.AsByte().Store(hashes + 384);
        r7.AsByte().Store(hashes + 448);
    }
}
