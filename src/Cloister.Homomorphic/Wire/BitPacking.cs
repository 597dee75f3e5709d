using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cloister.Homomorphic.Wire;

/// <summary>
/// Integers of 8 to 49 bits one after another without gaps, the lowest bit of each first; what is left of the last byte is zero.
/// Scalar is the definition. Eight integers of b bits fill b bytes, so each group of eight begins with a byte; within it integer i begins
/// (i b) mod 8 bits into byte (i b) / 8 and with that shift spans at most 56 bits, which one load of 64 bits holds.
/// </summary>
internal static class BitPacking
{
    /// <summary>The least and the most bits of an integer.</summary>
    internal const int MinimumBits = 8, MaximumBits = 49;

    private const int Group = 8, VectorBytes = 64;

    /// <summary>How many bytes that many integers take.</summary>
    internal static int Bytes(int count, int bits) => checked((int)((((long)count * bits) + 7) >> 3));

    /// <summary>Writes integers, each below 2^bits, into exactly the bytes they take.</summary>
    internal static void Pack(ReadOnlySpan<ulong> values, int bits, Span<byte> target)
    {
        Require(values.Length, bits, target.Length);
        int done = Avx512Vbmi.IsSupported ? PackWide(values, bits, target) : 0;
        PackScalar(values[done..], bits, target[(done / Group * bits)..]);
    }

    /// <summary>Reads integers from exactly the bytes they take.</summary>
    /// <returns>Whether the bits after the last integer are zero.</returns>
    internal static bool Unpack(ReadOnlySpan<byte> source, int bits, Span<ulong> values)
    {
        Require(values.Length, bits, source.Length);
        int done = Avx512Vbmi.IsSupported ? UnpackWide(source, bits, values) : 0;
        UnpackScalar(source[(done / Group * bits)..], bits, values[done..]);
        int used = (int)((long)values.Length * bits % 8);
        return used == 0 || source[^1] >> used == 0;
    }

    internal static void PackScalar(ReadOnlySpan<ulong> values, int bits, Span<byte> target)
    {
        ulong waiting = 0;
        int held = 0;
        foreach (ulong value in values)
        {
            waiting |= value << held;
            held += bits;
            if (held < 64) continue;
            BinaryPrimitives.WriteUInt64LittleEndian(target, waiting);
            target = target[sizeof(ulong)..];
            held -= 64;
            waiting = value >> (bits - held);
        }
        for (; held > 0; held -= 8, waiting >>= 8, target = target[1..]) target[0] = (byte)waiting;
    }

    internal static void UnpackScalar(ReadOnlySpan<byte> source, int bits, Span<ulong> values)
    {
        ulong mask = (1UL << bits) - 1;
        int whole = source.Length < sizeof(ulong) ? 0 : Math.Min(values.Length, (int)(((((long)source.Length - sizeof(ulong) + 1) * 8) - 1) / bits) + 1);
        ref byte first = ref MemoryMarshal.GetReference(source);
        for (int i = 0; i < whole; i++)
        {
            long bit = (long)i * bits;
            ulong word = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref first, (nint)(bit >> 3)));
            values[i] = (BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word)) >> (int)(bit & 7) & mask;
        }
        if (whole == values.Length) return;
        // The last integers begin less than eight bytes before the end: they are read from a copy with room behind it.
        Span<byte> end = stackalloc byte[2 * sizeof(ulong)];
        int from = (int)((long)whole * bits >> 3);
        source[from..].CopyTo(end);
        for (int i = whole; i < values.Length; i++)
        {
            long bit = ((long)i * bits) - ((long)from << 3);
            values[i] = BinaryPrimitives.ReadUInt64LittleEndian(end[(int)(bit >> 3)..]) >> (int)(bit & 7) & mask;
        }
    }

    /// <summary>
    /// Eight integers at a time. Each lane is shifted to its place within its first byte; lanes 0, 2, 4, 6 share no byte with each other, nor do
    /// 1, 3, 5, 7 (two integers have at least 16 bits), so each four are put in place by one permutation of bytes. Byte 7 of a lane is zero:
    /// it fills what no lane covers. 64 bytes are written, the next group goes over those beyond the first <paramref name="bits"/>.
    /// </summary>
    internal static int PackWide(ReadOnlySpan<ulong> values, int bits, Span<byte> target)
    {
        Span<byte> even = stackalloc byte[VectorBytes], odd = stackalloc byte[VectorBytes];
        Span<ulong> shifts = stackalloc ulong[Group];
        even.Fill(7);
        odd.Fill(7);
        for (int lane = 0; lane < Group; lane++)
        {
            int bit = lane * bits;
            shifts[lane] = (ulong)(bit & 7);
            for (int at = bit >> 3; at << 3 < bit + bits; at++) (lane % 2 == 0 ? even : odd)[at] = (byte)((lane * sizeof(ulong)) + at - (bit >> 3));
        }
        Vector512<byte> evenBytes = Vector512.Create<byte>(even), oddBytes = Vector512.Create<byte>(odd);
        Vector512<ulong> shift = Vector512.Create<ulong>(shifts);
        int done = 0;
        for (int at = 0; done + Group <= values.Length && at + VectorBytes <= target.Length; done += Group, at += bits)
        {
            Vector512<byte> lanes = Avx512F.ShiftLeftLogicalVariable(Vector512.Create(values[done..]), shift).AsByte();
            (Avx512Vbmi.PermuteVar64x8(lanes, evenBytes) | Avx512Vbmi.PermuteVar64x8(lanes, oddBytes)).CopyTo(target[at..]);
        }
        return done;
    }

    /// <summary>Eight integers at a time: a permutation gives each lane the eight bytes from the integer's first on, then shift and mask.</summary>
    internal static int UnpackWide(ReadOnlySpan<byte> source, int bits, Span<ulong> values)
    {
        Span<byte> places = stackalloc byte[VectorBytes];
        Span<ulong> shifts = stackalloc ulong[Group];
        for (int lane = 0; lane < Group; lane++)
        {
            int bit = lane * bits;
            shifts[lane] = (ulong)(bit & 7);
            for (int i = 0; i < sizeof(ulong); i++) places[(lane * sizeof(ulong)) + i] = (byte)((bit >> 3) + i);
        }
        Vector512<byte> place = Vector512.Create<byte>(places);
        Vector512<ulong> shift = Vector512.Create<ulong>(shifts), mask = Vector512.Create((1UL << bits) - 1);
        int done = 0;
        for (int at = 0; done + Group <= values.Length && at + VectorBytes <= source.Length; done += Group, at += bits)
        {
            Vector512<ulong> lanes = Avx512Vbmi.PermuteVar64x8(Vector512.Create(source[at..]), place).AsUInt64();
            (Avx512F.ShiftRightLogicalVariable(lanes, shift) & mask).CopyTo(values[done..]);
        }
        return done;
    }

    private static void Require(int count, int bits, int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bits, MinimumBits);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bits, MaximumBits);
        if (bytes != Bytes(count, bits)) throw new ArgumentException($"{count} integers of {bits} bits take {Bytes(count, bits)} bytes, not {bytes}.", nameof(bytes));
    }
}
