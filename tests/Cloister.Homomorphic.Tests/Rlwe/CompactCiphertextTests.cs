using System.Numerics;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Tests.Rlwe;

public sealed class CompactCiphertextTests
{
    public static TheoryData<int, int[], int> Chains() => new()
    {
        { 1024, [26], 20 }, { 2048, [49], 37 }, { 2048, [49], 38 }, { 2048, [49], 48 }, { 4096, [45, 45, 16], 8 }, { 4096, [35, 35, 36], 33 }, { 8192, [43, 43, 43, 43, 42], 48 },
    };

    [Theory, MemberData(nameof(Chains))]
    public void Rescaling_rounds_to_the_nearest_at_every_width(int degree, int[] chain, int bits)
    {
        RnsBasis basis = RingParameters.Create(degree, chain).Basis;
        var random = new Random(bits);
        BigInteger q = basis.Product, power = BigInteger.One << bits;
        var numbers = new BigInteger[degree];
        var bytes = new byte[40];
        for (int i = 0; i < degree; i++)
        {
            random.NextBytes(bytes);
            BigInteger any = new BigInteger(bytes, isUnsigned: true) % q;
            // Just beside the ties, the ends, and anything.
            numbers[i] = (i % 5) switch { 0 => (2 * any / q * q + q) / (2 * power) + i % 3 - 1, 1 => (q - 1) / 2 - i, 2 => -(q - 1) / 2 + i, 3 => (any % power * q * 2 + q) / (2 * power) + i % 2, _ => any };
        }
        using var x = new RnsPolynomial(basis);
        RnsIntegers.Decompose(numbers, x);
        ulong[] expected = [.. numbers.Select(number => (ulong)(((BigInteger.DivRem(2 * (((number % q) + q) % q) * power + q, 2 * q, out _)) % power + power) % power))];
        var scaling = new CompactScaling(basis, bits);
        foreach (VectorWidth width in Enum.GetValues<VectorWidth>())
        {
            var scaled = new ulong[degree];
            scaling.Scale(x, scaled, width);
            Assert.Equal(expected, scaled);
            var some = new ulong[(degree - 3) / 7];
            scaling.Scale(x, 3, 7, some, width);
            Assert.Equal(some.Select((_, i) => expected[3 + 7 * i]), some);
        }
    }

    [Theory, MemberData(nameof(Chains))]
    public void What_is_carried_decrypts(int degree, int[] chain, int bits)
    {
        RingParameters ring = RingParameters.Create(degree, chain);
        foreach (int special in (int[])[0, 1])
        {
            if (special == 1 && chain.Length == 1) continue;
            // The largest t that the bits leave room for, and a small odd one.
            foreach (ulong t in (ulong[])[bits - 2 - BitOperations.Log2((uint)degree) is > 0 and var room ? 1UL << room : 2, 3])
            {
                RlweParameters parameters = RlweParameters.Create(ring, t, special);
                if (!CompactCiphertext.Carries(parameters, parameters.Basis.Product, bits, Samplers.BinomialBits + 1)) continue;
                using SecretKey key = SecretKey.Generate(parameters), stranger = SecretKey.Generate(parameters);
                var random = new Random(bits);
                ulong[] message = [.. Enumerable.Range(0, degree).Select(i => i % 3 == 0 ? t - 1 : (ulong)random.NextInt64((long)t))];
                using SeededCiphertext seeded = Encryption.Encrypt(message, key);
                using Ciphertext ciphertext = seeded.Expand();
                CompactCiphertext all = CompactCiphertext.Of(ciphertext, bits, 0, 1, degree), some = CompactCiphertext.Of(ciphertext, bits, 5, 11, 40);
                Assert.Equal(message, Encryption.Decrypt(all, key));
                Assert.Equal(Enumerable.Range(0, 40).Select(i => message[5 + 11 * i]), Encryption.Decrypt(some, key));
                Assert.All(Encryption.Decrypt(some, stranger), coefficient => Assert.True(coefficient < t));
            }
        }
    }

    [Fact]
    public void The_noise_bound_is_reached_and_never_exceeded()
    {
        const int Degree = 2048, Bits = 40;
        RlweParameters parameters = RlweParameters.Create(RingParameters.Standard(Degree), 1UL << 26);
        Assert.False(CompactCiphertext.Carries(parameters, parameters.Basis.Product, 37, 21));
        Assert.True(CompactCiphertext.Carries(parameters, parameters.Basis.Product, 38, 21));
        Assert.False(CompactCiphertext.Carries(parameters, parameters.Basis.Product, Bits, parameters.Basis.Product / (2UL << 26)));
        using SecretKey key = SecretKey.Generate(parameters);
        var message = new ulong[Degree];
        using SeededCiphertext seeded = Encryption.Encrypt(message, key);
        using Ciphertext ciphertext = seeded.Expand();
        CompactCiphertext compact = CompactCiphertext.Of(ciphertext, Bits, 0, 1, Degree);
        // A phase read modulo 2^bits itself: t = 2^bits.
        RlweParameters whole = RlweParameters.Create(RingParameters.Standard(Degree), 1UL << Bits);
        ulong[] phase = DecryptAs(compact, key, whole);
        long largest = phase.Max(p => Math.Abs((long)(p << (64 - Bits)) >> (64 - Bits)));
        Assert.InRange(largest, 1, (Degree + 1) / 2 + 1);
    }

    [Fact]
    public void Coefficients_outside_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new CompactCiphertext(7, 0, 1, [0], new ulong[2048]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new CompactCiphertext(49, 0, 1, [0], new ulong[2048]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new CompactCiphertext(20, -1, 1, [0], new ulong[2048]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new CompactCiphertext(20, 0, 0, [0], new ulong[2048]));
        Assert.Throws<ArgumentException>(() => new CompactCiphertext(20, 2047, 1, [0, 0], new ulong[2048]));
        Assert.Throws<ArgumentException>(() => new CompactCiphertext(20, 0, int.MaxValue, [0, 0, 0], new ulong[2048]));
        Assert.Throws<ArgumentException>(() => new CompactCiphertext(20, 0, 1, [], new ulong[2048]));
        Assert.Throws<ArgumentException>(() => new CompactCiphertext(20, 0, 1, [1UL << 20], new ulong[2048]));
        RlweParameters parameters = RlweParameters.Create(RingParameters.Standard(2048), 256);
        using SecretKey key = SecretKey.Generate(parameters);
        Assert.Throws<ArgumentException>(() => Encryption.Decrypt(new CompactCiphertext(20, 0, 1, [0], new ulong[4096]), key));
    }

    private static ulong[] DecryptAs(CompactCiphertext ciphertext, SecretKey key, RlweParameters parameters)
    {
        using var secret = new RnsPolynomial(key.Parameters.Ring.Basis);
        secret.CopyFrom(key.Values);
        using SecretKey same = SecretKey.FromSeed(parameters, new byte[32]);
        same.Values.CopyFrom(secret);
        return Encryption.Decrypt(ciphertext, same);
    }
}
