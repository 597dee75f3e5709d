using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace Cloister.Homomorphic.Ring;

/// <summary>
/// Draws polynomials from a stream: exactly the distributions named, the same polynomial for the same stream on every machine. What is secret is drawn
/// without any branch or address that depends on it; scratch memory is zeroed.
/// </summary>
public static unsafe class Samplers
{
    /// <summary>Of the centred binomial distribution CBD(21, 21): its variance is 21/2, its standard deviation 3.24; no value is larger in size than 21.</summary>
    public const int BinomialBits = 21;

    private const int Chunk = 4096;

    /// <summary>Every residue of every limb uniform modulo its prime, limb after limb: the public part of keys and ciphertexts.</summary>
    /// <remarks>
    /// 64-bit little-endian words in turn, each cut to the bits of p; what is not below p is skipped. How much is skipped says nothing about what is kept,
    /// and the result is public anyway.
    /// </remarks>
    /// <param name="stream">The stream; it is read in chunks of 4096 bytes, and what a limb leaves of its last chunk is dropped.</param>
    /// <param name="polynomial">Receives the residues; its form stays, since uniform coefficients have uniform values.</param>
    public static void Uniform(SeedExpander stream, RnsPolynomial polynomial) => Uniform(stream, polynomial, VectorWidths.Best);

    internal static void Uniform(SeedExpander stream, RnsPolynomial polynomial, VectorWidth width)
    {
        Span<byte> bytes = stackalloc byte[Chunk];
        for (int limb = 0; limb < polynomial.Basis.Count; limb++)
        {
            Modulus modulus = polynomial.Basis.Moduli[limb];
            Span<double> residues = polynomial.Limb(limb);
            while (!residues.IsEmpty)
            {
                stream.Fill(bytes);
                ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
                int kept = width == VectorWidth.Scalar ? Accept(words, residues, modulus) : AcceptEight(words, residues, modulus);
                residues = residues[kept..];
            }
        }
        CryptographicOperations.ZeroMemory(bytes);
    }

    /// <summary>Coefficients -1, 0, 1 with equal chance: secret keys.</summary>
    /// <remarks>
    /// With m = n/5 rounded up to a multiple of 64: of the stream, read 1024 bytes at a time, the first m bytes below 243 = 3^5 are kept;
    /// coefficient d m + i is digit d to the base 3, from the lowest, of byte i, less one. Which bytes are skipped says nothing about the others.
    /// </remarks>
    public static void Ternary(SeedExpander stream, RnsPolynomial polynomial) => Ternary(stream, polynomial, VectorWidths.Best);

    internal static void Ternary(SeedExpander stream, RnsPolynomial polynomial, VectorWidth width)
    {
        Ternary(stream, polynomial.Limb(0), width);
        polynomial.SetSmall(polynomial.Limb(0));
    }

    internal static void Ternary(SeedExpander stream, Span<double> coefficients, VectorWidth width)
    {
        Span<sbyte> small = stackalloc sbyte[coefficients.Length];
        SmallSamplers.Ternary(stream, small, width);
        SmallSamplers.Widen(small, coefficients);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(small));
    }

    /// <summary>Coefficients of the centred binomial distribution CBD(21, 21): errors.</summary>
    /// <remarks>
    /// For every 64 coefficients six rows of 64 bytes: coefficient i is the number of ones in byte i of the first two rows and in the lower five bits of
    /// byte i of the third, less the same of the other three rows.
    /// </remarks>
    public static void CenteredBinomial(SeedExpander stream, RnsPolynomial polynomial) => CenteredBinomial(stream, polynomial, VectorWidths.Best);

    internal static void CenteredBinomial(SeedExpander stream, RnsPolynomial polynomial, VectorWidth width)
    {
        CenteredBinomial(stream, polynomial.Limb(0), width);
        polynomial.SetSmall(polynomial.Limb(0));
    }

    internal static void CenteredBinomial(SeedExpander stream, Span<double> coefficients, VectorWidth width)
    {
        Span<sbyte> small = stackalloc sbyte[coefficients.Length];
        SmallSamplers.CenteredBinomial(stream, small, width);
        SmallSamplers.Widen(small, coefficients);
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(small));
    }

    // The definition.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static int Accept(ReadOnlySpan<ulong> words, Span<double> residues, Modulus modulus)
    {
        ulong p = modulus.Value, half = p >> 1, mask = ulong.MaxValue >> BitOperations.LeadingZeroCount(p);
        int kept = 0;
        foreach (ulong word in words)
        {
            if (kept == residues.Length) break;
            long value = (long)((BitConverter.IsLittleEndian ? word : System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(word)) & mask);
            if ((ulong)value >= p) continue;
            residues[kept++] = value - ((long)half - value >> 63 & (long)p);
        }
        return kept;
    }

    // Eight words at once where all are kept, one at a time where not. A word below 2^52 under the exponent of 2^52 is the double 2^52 + word.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static int AcceptEight(ReadOnlySpan<ulong> words, Span<double> residues, Modulus modulus)
    {
        Vector512<ulong> mask = Vector512.Create(ulong.MaxValue >> BitOperations.LeadingZeroCount(modulus.Value)), p = Vector512.Create(modulus.Value), exponent = Vector512.Create(0x4330UL << 48);
        Vector512<double> two52 = Vector512.Create(4503599627370496.0), half = Vector512.Create((double)(modulus.Value >> 1)), asDouble = Vector512.Create(modulus.P);
        int kept = 0;
        for (int at = 0; at < words.Length && kept < residues.Length; at += 8)
        {
            Vector512<ulong> cut = Vector512.Create(words[at..]) & mask;
            if (!BitConverter.IsLittleEndian || residues.Length - kept < 8 || !Vector512.LessThanAll(cut, p))
            {
                kept += Accept(words.Slice(at, 8), residues[kept..], modulus);
                continue;
            }
            Vector512<double> value = (cut | exponent).AsDouble() - two52;
            value -= Vector512.GreaterThan(value, half) & asDouble;
            value.CopyTo(residues[kept..]);
            kept += 8;
        }
        return kept;
    }
}
