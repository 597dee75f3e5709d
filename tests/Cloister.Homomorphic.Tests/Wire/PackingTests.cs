using System.Numerics;
using System.Runtime.Intrinsics.X86;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Wire;

namespace Cloister.Homomorphic.Tests.Wire;

public sealed class PackingTests
{
    [Fact]
    public void Packed_integers_are_the_bits_of_one_large_integer()
    {
        var random = new Random(1);
        for (int bits = BitPacking.MinimumBits; bits <= BitPacking.MaximumBits; bits++)
        {
            foreach (int count in new[] { 1, 2, 7, 8, 9, 31, 64, 65, 77 })
            {
                ulong[] values = Draw(random, count, bits);
                BigInteger whole = values.Select((value, i) => new BigInteger(value) << (i * bits)).Aggregate(BigInteger.Add);
                byte[] expected = new byte[BitPacking.Bytes(count, bits)];
                whole.TryWriteBytes(expected, out _, isUnsigned: true);

                byte[] packed = new byte[expected.Length], scalar = new byte[expected.Length];
                BitPacking.Pack(values, bits, packed);
                BitPacking.PackScalar(values, bits, scalar);
                Assert.Equal(expected, packed);
                Assert.Equal(expected, scalar);

                ulong[] read = new ulong[count], readScalar = new ulong[count];
                Assert.True(BitPacking.Unpack(packed, bits, read));
                BitPacking.UnpackScalar(packed, bits, readScalar);
                Assert.Equal(values, read);
                Assert.Equal(values, readScalar);
            }
        }
    }

    [Fact]
    public void The_wide_kernels_equal_the_definition()
    {
        if (!Avx512Vbmi.IsSupported) return;
        var random = new Random(2);
        for (int bits = BitPacking.MinimumBits; bits <= BitPacking.MaximumBits; bits++)
        {
            ulong[] values = Draw(random, 1024, bits), read = new ulong[1024];
            byte[] scalar = new byte[BitPacking.Bytes(1024, bits)], wide = new byte[scalar.Length];
            BitPacking.PackScalar(values, bits, scalar);
            int packed = BitPacking.PackWide(values, bits, wide), unpacked = BitPacking.UnpackWide(scalar, bits, read);
            Assert.InRange(packed, 1024 - 64, 1024);
            Assert.InRange(unpacked, 1024 - 64, 1024);
            Assert.Equal(scalar[..(packed / 8 * bits)], wide[..(packed / 8 * bits)]);
            Assert.Equal(values[..unpacked], read[..unpacked]);
        }
    }

    [Fact]
    public void Filling_bits_must_be_zero()
    {
        byte[] packed = new byte[BitPacking.Bytes(3, 11)];
        BitPacking.Pack([1, 2, 2047], 11, packed);
        Assert.True(BitPacking.Unpack(packed, 11, new ulong[3]));
        packed[^1] |= 0x80;
        Assert.False(BitPacking.Unpack(packed, 11, new ulong[3]));
    }

    [Theory]
    [InlineData(1024, 26), InlineData(2048, 49), InlineData(4096, 35), InlineData(8192, 43)]
    public void Residues_come_back_and_those_beyond_the_modulus_do_not(int degree, int bits)
    {
        var basis = new RnsBasis(degree, [.. NttPrimes.Generate(bits, 2 * (ulong)degree, 2).Select(prime => new Modulus(prime))]);
        using var polynomial = new RnsPolynomial(basis, RnsForm.Values);
        using var read = new RnsPolynomial(basis, RnsForm.Values);
        using (var stream = new SeedExpander(new byte[32], "test"u8)) Samplers.Uniform(stream, polynomial);
        double half = (basis.Moduli[1].Value - 1) / 2;
        (polynomial.Limb(1)[0], polynomial.Limb(1)[1], polynomial.Limb(1)[2], polynomial.Limb(1)[3]) = (half, -half, -1, 0);

        byte[] packed = new byte[ResiduePacking.Bytes(basis)];
        Assert.Equal(2 * degree * bits / 8, packed.Length);
        ResiduePacking.Write(polynomial, 2, packed);
        ResiduePacking.Read(packed, read);
        for (int limb = 0; limb < 2; limb++) Assert.Equal(polynomial.Limb(limb).ToArray(), read.Limb(limb).ToArray());

        foreach (int place in new[] { 0, 1, degree - 1 })
        {
            ulong[] integers = [.. polynomial.Limb(1).ToArray().Select(basis.Moduli[1].Unbalance)];
            integers[place] = basis.Moduli[1].Value;
            byte[] wrong = [.. packed];
            BitPacking.Pack(integers, bits, wrong.AsSpan(wrong.Length / 2));
            Assert.Equal(HomomorphicError.WireResidue, Assert.Throws<HomomorphicException>(() => ResiduePacking.Read(wrong, read)).Error);
        }
    }

    private static ulong[] Draw(Random random, int count, int bits)
    {
        ulong mask = (1UL << bits) - 1;
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(4) switch { 0 => 0UL, 1 => mask, _ => (ulong)random.NextInt64() & mask })];
    }
}
