using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>Residues in [0, q) as little-endian 64-bit words, and balanced ones as doubles, in the same order. No branch or address depends on a residue.</summary>
internal static class SealResidues
{
    // A word below 2^52 under the exponent of 2^52 is the double 2^52 + word.
    private const ulong Exponent = 0x4330UL << 48;
    private const double Two52 = 4503599627370496.0;

    /// <summary>Reads n words; false where one is not below the modulus, and what was read is meaningless then.</summary>
    internal static bool Read(ReadOnlySpan<byte> words, Span<double> residues, Modulus modulus) => Read(words, residues, modulus, VectorWidths.Best);

    /// <summary>Writes n words.</summary>
    internal static void Write(ReadOnlySpan<double> residues, Span<byte> words, Modulus modulus) => Write(residues, words, modulus, VectorWidths.Best);

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal static bool Read(ReadOnlySpan<byte> words, Span<double> residues, Modulus modulus, VectorWidth width)
    {
        if (words.Length != residues.Length * 8) throw new ArgumentException("The lengths differ.", nameof(words));
        ulong below = 1, p = modulus.Value;
        int at = 0;
        if (width != VectorWidth.Scalar && BitConverter.IsLittleEndian)
        {
            ReadOnlySpan<ulong> numbers = MemoryMarshal.Cast<byte, ulong>(words);
            Vector512<ulong> bound = Vector512.Create(p), exponent = Vector512.Create(Exponent), all = Vector512<ulong>.AllBitsSet;
            Vector512<double> two52 = Vector512.Create(Two52), half = Vector512.Create((double)(p >> 1)), asDouble = Vector512.Create(modulus.P);
            for (; at <= residues.Length - 8; at += 8)
            {
                Vector512<ulong> number = Vector512.Create(numbers[at..]);
                all &= Vector512.LessThan(number, bound);
                Vector512<double> value = (number | exponent).AsDouble() - two52;
                value -= Vector512.GreaterThan(value, half) & asDouble;
                value.CopyTo(residues[at..]);
            }
            below = Vector512.EqualsAll(all, Vector512<ulong>.AllBitsSet) ? 1UL : 0;
        }
        for (; at < residues.Length; at++)
        {
            ulong number = BinaryPrimitives.ReadUInt64LittleEndian(words[(at * 8)..]);
            below &= (number - p) >> 63 & ~number >> 63; // p < 2^49: the difference is negative where number < p, or number >= 2^63 + p
            residues[at] = modulus.BalanceReduced(number & (1UL << NttPrimes.MaximumBits) - 1);
        }
        return below != 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal static void Write(ReadOnlySpan<double> residues, Span<byte> words, Modulus modulus, VectorWidth width)
    {
        if (words.Length != residues.Length * 8) throw new ArgumentException("The lengths differ.", nameof(words));
        int at = 0;
        if (width != VectorWidth.Scalar && BitConverter.IsLittleEndian)
        {
            Span<ulong> numbers = MemoryMarshal.Cast<byte, ulong>(words);
            Vector512<ulong> exponent = Vector512.Create(Exponent);
            Vector512<double> two52 = Vector512.Create(Two52), asDouble = Vector512.Create(modulus.P);
            for (; at <= residues.Length - 8; at += 8)
            {
                Vector512<double> value = Vector512.Create(residues[at..]);
                value += Vector512.LessThan(value, Vector512<double>.Zero) & asDouble;
                ((value + two52).AsUInt64() ^ exponent).CopyTo(numbers[at..]);
            }
        }
        for (; at < residues.Length; at++) BinaryPrimitives.WriteUInt64LittleEndian(words[(at * 8)..], modulus.Unbalance(residues[at]));
    }
}
