using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Wire.Seal;

/// <summary>The generators that SEAL expands seeds with. Numbers are SEAL's.</summary>
internal enum SealGenerator : byte
{
    Blake2Xb = 1,
    Shake256 = 2,
}

/// <summary>What stands for a uniform polynomial in SEAL's objects: 64 public bytes and the generator that makes a stream of them.</summary>
internal readonly ref struct SealSeed
{
    internal const int SeedBytes = 64, InfoBytes = SealHeader.Bytes + 1 + SeedBytes;

    private const int BlockWords = SealStream.BlockBytes / 8;

    internal SealSeed(SealGenerator generator, ReadOnlySpan<byte> seed)
    {
        Generator = generator;
        Bytes = seed;
    }

    internal SealGenerator Generator { get; }

    internal ReadOnlySpan<byte> Bytes { get; }

    internal static SealSeed Read(ref SealReader reader)
    {
        SealReader info = reader.Nested("seed");
        var generator = (SealGenerator)info.Byte("generator");
        if (generator is not (SealGenerator.Blake2Xb or SealGenerator.Shake256))
            throw new HomomorphicException(HomomorphicError.SealGenerator, $"The seed is for SEAL's generator {(byte)generator}; 1 (BLAKE2Xb) and 2 (SHAKE256) are understood.");
        if (generator == SealGenerator.Shake256 && !Shake256.IsSupported)
            throw new HomomorphicException(HomomorphicError.SealGenerator, "The seed is for SHAKE256, which this platform's cryptographic library does not have. Use SEAL's default generator, or save without a seed.");
        ReadOnlySpan<byte> seed = info.Take(SeedBytes, "bytes");
        info.End();
        return new SealSeed(generator, seed);
    }

    internal void Write(ref SealWriter writer)
    {
        writer.Header(InfoBytes);
        writer.Byte((byte)Generator);
        writer.Bytes(Bytes);
    }

    /// <summary>
    /// The polynomial's residues, limb after limb: words of the stream modulo q. A word in the last, incomplete run of q is redrawn, so that all residues
    /// are as likely; what is redrawn comes from the stream after the words of all limbs.
    /// </summary>
    /// <remarks>SEAL's bound is one less than the incomplete run wants: words from 2^64 - 2 - ((2^64 - 1) mod q) on are redrawn.</remarks>
    internal void Expand(RnsPolynomial target) => Expand(target, VectorWidths.Best);

    internal void Expand(RnsPolynomial target, VectorWidth width)
    {
        Span<byte> block = stackalloc byte[SealStream.BlockBytes];
        var redrawn = new List<(int Limb, int Place)>();
        var stream = new SealStream(Generator, Bytes, width);
        for (int limb = 0; limb < target.Basis.Count; limb++)
        {
            Modulus modulus = target.Basis.Moduli[limb];
            Span<double> residues = target.Limb(limb);
            for (int at = 0; at < residues.Length; at += BlockWords)
            {
                stream.Read(block);
                Reduce(block, residues.Slice(at, BlockWords), modulus, limb, at, redrawn, width);
            }
        }
        int used = block.Length;
        foreach ((int limb, int place) in redrawn)
        {
            Modulus modulus = target.Basis.Moduli[limb];
            ulong word, bound = Bound(modulus);
            do
            {
                if (used == block.Length)
                {
                    stream.Read(block);
                    used = 0;
                }
                word = BinaryPrimitives.ReadUInt64LittleEndian(block[used..]);
                used += 8;
            }
            while (word >= bound);
            target.Limb(limb)[place] = modulus.Balance(word);
        }
    }

    private static ulong Bound(Modulus modulus) => ulong.MaxValue - ulong.MaxValue % modulus.Value - 1;

    private static void Reduce(ReadOnlySpan<byte> block, Span<double> residues, Modulus modulus, int limb, int at, List<(int Limb, int Place)> redrawn, VectorWidth width)
    {
        ulong bound = Bound(modulus);
        if (width != VectorWidth.Scalar && BitConverter.IsLittleEndian && ReduceEight(block, residues, modulus, bound)) return;
        for (int i = 0; i < residues.Length; i++)
        {
            ulong word = BinaryPrimitives.ReadUInt64LittleEndian(block[(i * 8)..]);
            if (word >= bound) redrawn.Add((limb, at + i));
            residues[i] = modulus.Balance(word);
        }
    }

    // Eight words at once; false where one of them all must be redrawn. A word is h 2^32 + l: both halves are exact doubles, the product
    // of h with 2^32 mod q is below p in size, and with l it stays far below 2^52, where Reduce is exact.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static bool ReduceEight(ReadOnlySpan<byte> block, Span<double> residues, Modulus modulus, ulong bound)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(block);
        Vector512<ulong> limit = Vector512.Create(bound), exponent = Vector512.Create(0x4330UL << 48), low = Vector512.Create((ulong)uint.MaxValue), all = Vector512<ulong>.AllBitsSet;
        Vector512<double> two52 = Vector512.Create(4503599627370496.0), two32 = Vector512.Create(modulus.Balance(1UL << 32)), minusP = Vector512.Create(-modulus.P),
            inverse = Vector512.Create(modulus.Inverse), magic = Vector512.Create(Modulus.Magic);
        for (int i = 0; i < residues.Length; i += 8)
        {
            Vector512<ulong> word = Vector512.Create(words[i..]);
            all &= Vector512.LessThan(word, limit);
            Vector512<double> h = (word >>> 32 | exponent).AsDouble() - two52, l = (word & low | exponent).AsDouble() - two52;
            Vector512<double> sum = ModularLanes<Lanes512, Vector512<double>>.MultiplyLazy(h, two32, minusP, inverse, magic) + l;
            ModularLanes<Lanes512, Vector512<double>>.Reduce(sum, minusP, inverse, magic).CopyTo(residues[i..]);
        }
        return Vector512.EqualsAll(all, Vector512<ulong>.AllBitsSet);
    }
}
