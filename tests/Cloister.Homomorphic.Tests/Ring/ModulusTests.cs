using System.Numerics;
using Cloister.Homomorphic.Ring;
using FsCheck;
using FsCheck.Fluent;

namespace Cloister.Homomorphic.Tests.Ring;

public sealed class ModulusTests
{
    [Fact]
    public void Products_are_exact_for_any_operand_and_modulus() =>
        Prop.ForAll<int, long, long>((seed, x, y) =>
        {
            var modulus = AnyModulus(seed);
            long p = (long)modulus.Value, a = x % (p / 2 + 1), b = y % (p / 2 + 1);
            return modulus.Multiply(a, b) == (double)Balanced.Mod((BigInteger)a * b, p);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Products_are_exact_at_every_edge()
    {
        foreach (var modulus in Enumerable.Range(0, 40).Select(AnyModulus))
        {
            long p = (long)modulus.Value, half = p / 2;
            long[] edges = [0, 1, -1, 2, half, -half, half - 1, 1 - half, half / 2, p - 1, 1 - p];
            foreach (long a in edges)
            {
                foreach (long b in edges.Where(b => Math.Abs(b) <= half))
                    Assert.Equal((double)Balanced.Mod((BigInteger)a * b, p), modulus.Multiply(a, b));
            }
        }
    }

    [Fact]
    public void Operands_of_almost_two_to_the_52_stay_within_the_proven_bound()
    {
        var random = new Random(5);
        foreach (var modulus in Enumerable.Range(0, 40).Select(AnyModulus))
        {
            long p = (long)modulus.Value, half = p / 2;
            for (int i = 0; i < 2_000; i++)
            {
                long a = (1L << 52) - 1 - (i < 200 ? i : random.NextInt64(1L << 52)), w = half - (i % 2 == 0 ? i / 2 % (half / 2) : random.NextInt64(half));
                if (i % 3 == 0) a = -a;
                double product = Modulus.MultiplyLazy(a, w, modulus.P, modulus.Inverse);
                Assert.True(((BigInteger)a * w - (BigInteger)product) % p == 0, $"{a} * {w} mod {p}");
                Assert.True(Math.Abs(product) <= half + Math.Abs((double)a) / 16 + 1, $"{a} * {w} mod {p} is {product}");
                Assert.Equal((double)Balanced.Mod(a, p), Modulus.Reduce(a, modulus.P, modulus.Inverse));
            }
        }
    }

    [Fact]
    public void Balanced_and_plain_residues_are_each_others_inverse() =>
        Prop.ForAll<int, long>((seed, number) =>
        {
            var modulus = AnyModulus(seed);
            ulong residue = (ulong)number % modulus.Value;
            double balanced = modulus.Balance((ulong)number);
            return Math.Abs(balanced) <= modulus.Value / 2 && modulus.Unbalance(balanced) == residue;
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(1UL << 49, HomomorphicError.ModulusSize)]
    [InlineData(ulong.MaxValue, HomomorphicError.ModulusSize)]
    [InlineData(0UL, HomomorphicError.ModulusNotPrime)]
    [InlineData(1UL, HomomorphicError.ModulusNotPrime)]
    [InlineData(2UL, HomomorphicError.ModulusNotPrime)]
    [InlineData(562949953421311UL, HomomorphicError.ModulusNotPrime)]
    [InlineData(341550071728321UL, HomomorphicError.ModulusNotPrime)] // a strong pseudoprime to the bases 2 to 17
    public void What_is_no_odd_prime_of_49_bits_is_refused(ulong value, HomomorphicError error) =>
        Assert.Equal(error, Assert.Throws<HomomorphicException>(() => new Modulus(value)).Error);

    [Fact]
    public void Small_primes_are_told_from_other_numbers()
    {
        bool[] composite = new bool[20_000];
        for (int i = 2; i < composite.Length; i++)
        {
            Assert.Equal(!composite[i], NttPrimes.IsPrime((ulong)i));
            for (int multiple = 2 * i; multiple < composite.Length; multiple += i) composite[multiple] = true;
        }
    }

    [Theory]
    [InlineData(49, 65536UL, 20)]
    [InlineData(35, 8192UL, 2)]
    [InlineData(26, 2048UL, 1)]
    public void Generated_primes_descend_and_fit_their_step(int bits, ulong step, int count)
    {
        ulong[] primes = NttPrimes.Generate(bits, step, count);
        Assert.Equal(count, primes.Length);
        Assert.All(primes, prime => Assert.True(NttPrimes.IsPrime(prime) && prime % step == 1 && prime >> (bits - 1) == 1));
        Assert.Equal(primes.OrderDescending(), primes);
        Assert.Equal(primes, NttPrimes.Generate(bits, step, count));
    }

    [Fact]
    public void More_primes_than_there_are_is_refused() =>
        Assert.Equal(HomomorphicError.NotEnoughPrimes, Assert.Throws<HomomorphicException>(() => NttPrimes.Generate(18, 65536, 10)).Error);

    private static Modulus AnyModulus(int seed)
    {
        var random = new Random(seed);
        int bits = random.Next(3) == 0 ? 49 : random.Next(11, 50);
        ulong candidate = (1UL << (bits - 1)) + (ulong)random.NextInt64(1L << (bits - 1)) | 1;
        while (!NttPrimes.IsPrime(candidate) || candidate >> 49 != 0) candidate = (candidate - 2) | 1;
        return new Modulus(candidate);
    }
}
