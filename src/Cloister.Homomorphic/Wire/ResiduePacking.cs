using System.Numerics;
using System.Runtime.InteropServices;
using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Wire;

/// <summary>A polynomial's residues as packed integers in [0, q): limb after limb, each with exactly the bits of its modulus, in the order and form they have in memory.</summary>
internal static class ResiduePacking
{
    private const int Chunk = 512;

    /// <summary>How many bytes a polynomial over a basis takes. The degree is a multiple of eight, so limbs begin with a byte.</summary>
    internal static int Bytes(RnsBasis basis)
    {
        int bytes = 0;
        foreach (Modulus modulus in basis.Moduli) bytes += BitPacking.Bytes(basis.Degree, Bits(modulus));
        return bytes;
    }

    /// <summary>Writes a polynomial's first limbs.</summary>
    internal static void Write(RnsPolynomial polynomial, int limbs, Span<byte> target)
    {
        Span<ulong> integers = stackalloc ulong[Chunk];
        for (int limb = 0; limb < limbs; limb++)
        {
            Modulus modulus = polynomial.Basis.Moduli[limb];
            int bits = Bits(modulus), bytes = BitPacking.Bytes(Chunk, bits);
            for (ReadOnlySpan<double> residues = polynomial.Limb(limb); !residues.IsEmpty; residues = residues[Chunk..], target = target[bytes..])
            {
                Unbalance(residues[..Chunk], integers, modulus);
                BitPacking.Pack(integers, bits, target[..bytes]);
            }
        }
        GC.KeepAlive(polynomial);
    }

    /// <summary>Reads into a polynomial, whose form is the caller's to say.</summary>
    /// <exception cref="HomomorphicException">A residue is not below its modulus.</exception>
    internal static void Read(ReadOnlySpan<byte> source, RnsPolynomial polynomial)
    {
        Span<ulong> integers = stackalloc ulong[Chunk];
        for (int limb = 0; limb < polynomial.Basis.Count; limb++)
        {
            Modulus modulus = polynomial.Basis.Moduli[limb];
            int bits = Bits(modulus), bytes = BitPacking.Bytes(Chunk, bits);
            bool inRange = true;
            for (Span<double> residues = polynomial.Limb(limb); !residues.IsEmpty; residues = residues[Chunk..], source = source[bytes..])
            {
                BitPacking.Unpack(source[..bytes], bits, integers);
                inRange &= Balance(integers, residues[..Chunk], modulus);
            }
            if (!inRange) throw new HomomorphicException(HomomorphicError.WireResidue, $"A residue is not below its modulus {modulus.Value}: the bytes were changed, or made with other parameters.");
        }
        GC.KeepAlive(polynomial);
    }

    internal static int Bits(Modulus modulus) => 64 - BitOperations.LeadingZeroCount(modulus.Value);

    /// <summary>Integers below 2^49 to balanced residues. A sum with the bits of 1.5 * 2^52 is the double that exceeds that number by the integer.</summary>
    /// <returns>Whether all integers are below the modulus.</returns>
    private static bool Balance(ReadOnlySpan<ulong> integers, Span<double> residues, Modulus modulus)
    {
        long q = (long)modulus.Value, magic = BitConverter.DoubleToInt64Bits(Modulus.Magic);
        var (outside, manyQ, half, last) = (Vector<long>.Zero, new Vector<long>(q), new Vector<long>(q >> 1), new Vector<long>(q - 1));
        ReadOnlySpan<long> numbers = MemoryMarshal.Cast<ulong, long>(integers);
        for (int i = 0; i < Chunk; i += Vector<long>.Count)
        {
            var u = new Vector<long>(numbers[i..]);
            outside |= last - u;
            Vector<long> balanced = u - (Vector.ShiftRightArithmetic(half - u, 63) & manyQ);
            (Vector.AsVectorDouble(balanced + new Vector<long>(magic)) - new Vector<double>(Modulus.Magic)).CopyTo(residues[i..]);
        }
        return Vector.GreaterThanOrEqualAll(outside, Vector<long>.Zero);
    }

    /// <summary>Balanced residues to integers in [0, q), the other way.</summary>
    private static void Unbalance(ReadOnlySpan<double> residues, Span<ulong> integers, Modulus modulus)
    {
        long q = (long)modulus.Value, magic = BitConverter.DoubleToInt64Bits(Modulus.Magic);
        var manyQ = new Vector<long>(q);
        Span<long> numbers = MemoryMarshal.Cast<ulong, long>(integers);
        for (int i = 0; i < Chunk; i += Vector<long>.Count)
        {
            Vector<long> balanced = Vector.AsVectorInt64(new Vector<double>(residues[i..]) + new Vector<double>(Modulus.Magic)) - new Vector<long>(magic);
            (balanced + (Vector.ShiftRightArithmetic(balanced, 63) & manyQ)).CopyTo(numbers[i..]);
        }
    }
}
