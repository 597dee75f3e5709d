using System.Numerics;
using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Tests.Ring;

public sealed class NegacyclicNttTests
{
    public static TheoryData<int, int> Sizes() => new()
    {
        { 1024, 49 }, { 1024, 26 }, { 2048, 49 }, { 4096, 49 }, { 4096, 35 }, { 8192, 49 }, { 8192, 43 }, { 16384, 49 }, { 16384, 48 }, { 32768, 49 }, { 32768, 48 }, { 32768, 30 },
    };

    [Theory, MemberData(nameof(Sizes))]
    public void Every_width_gives_the_same_bits_and_goes_back(int degree, int bits)
    {
        NegacyclicNtt ntt = Make(degree, bits);
        foreach (double[] input in Inputs(ntt))
        {
            double[] expected = Forward(ntt, input, VectorWidth.Scalar);
            double[] back = Inverse(ntt, input, VectorWidth.Scalar);
            Assert.All(expected, value => Assert.True(Math.Abs(value) <= ntt.Modulus.Value / 2));
            Assert.All(back, value => Assert.True(Math.Abs(value) <= ntt.Modulus.Value / 2));
            foreach (VectorWidth width in Balanced.Widths)
            {
                AssertSameBits(expected, Forward(ntt, input, width));
                AssertSameBits(back, Inverse(ntt, input, width));
                Assert.Equal(input, Inverse(ntt, expected, width));
            }
        }
    }

    [Theory, MemberData(nameof(Sizes))]
    public void Values_in_the_other_order_are_the_polynomial_at_the_powers_of_the_least_root(int degree, int bits)
    {
        NegacyclicNtt ntt = Make(degree, bits);
        double[] input = Balanced.Draw(degree, ntt.Modulus, new Random(3));
        double[] values = [.. input];
        ntt.Forward(values, NttOrder.BitReversed);
        foreach (VectorWidth width in Balanced.Widths)
        {
            double[] same = [.. input];
            ntt.Forward(same, NttOrder.BitReversed, width);
            AssertSameBits(values, same);
            ntt.Inverse(same, NttOrder.BitReversed, width);
            Assert.Equal(input, same);
        }
        ulong p = ntt.Modulus.Value, psi = NttPrimes.LeastRoot(2 * (ulong)degree, p);
        Assert.Equal(p - 1, NttPrimes.Power(psi, (ulong)degree, p));
        int log = BitOperations.Log2((uint)degree);
        foreach (int place in (int[])[0, 1, 2, degree / 2, degree / 2 + 7, degree - 1])
        {
            ulong at = NttPrimes.Power(psi, 2 * (ulong)NttTables.Reverse(place, log) + 1, p), sum = 0;
            for (int i = degree - 1; i >= 0; i--) sum = (ulong)(((UInt128)sum * at + ntt.Modulus.Unbalance(input[i])) % p);
            Assert.Equal(ntt.Modulus.Balance(sum), values[place]);
        }
        ntt.Inverse(values, NttOrder.BitReversed);
        Assert.Equal(input, values);
    }

    [Theory]
    [InlineData(1024, 49)]
    [InlineData(2048, 35)]
    public void Products_are_those_of_polynomials_modulo_X_to_the_n_plus_one(int degree, int bits)
    {
        NegacyclicNtt ntt = Make(degree, bits);
        var random = new Random(degree);
        double[] a = Balanced.Draw(degree, ntt.Modulus, random), b = Balanced.Draw(degree, ntt.Modulus, random);
        var naive = new Int128[degree];
        long p = (long)ntt.Modulus.Value;
        for (int i = 0; i < degree; i++)
        {
            for (int j = 0; j < degree; j++)
            {
                Int128 product = (Int128)(long)a[i] * (long)b[j] % p;
                naive[(i + j) % degree] += i + j < degree ? product : -product;
            }
        }
        ntt.Forward(a);
        ntt.Forward(b);
        for (int i = 0; i < degree; i++) a[i] = ntt.Modulus.Multiply(a[i], b[i]);
        ntt.Inverse(a);
        for (int i = 0; i < degree; i++) Assert.Equal((double)Balanced.Mod((BigInteger)naive[i], p), a[i]);
    }

    [Fact]
    public void The_best_width_is_what_the_processor_has() => Assert.Contains(VectorWidths.Best, Balanced.Widths);

    [Theory]
    [InlineData(512)]
    [InlineData(65536)]
    [InlineData(3000)]
    [InlineData(-1024)]
    public void Other_degrees_are_refused(int degree) =>
        Assert.Equal(HomomorphicError.DegreeNotSupported, Assert.Throws<HomomorphicException>(() => new NegacyclicNtt(degree, new Modulus(65537))).Error);

    [Fact]
    public void A_prime_without_the_roots_is_refused()
    {
        Assert.Equal(HomomorphicError.ModulusHasNoTransform, Assert.Throws<HomomorphicException>(() => new NegacyclicNtt(4096, new Modulus(1000003))).Error);
        NegacyclicNtt ntt = Make(1024, 49);
        Assert.Throws<ArgumentException>(() => ntt.Forward(new double[1023]));
        Assert.Throws<ArgumentException>(() => ntt.Inverse(new double[2048]));
    }

    private static NegacyclicNtt Make(int degree, int bits) => new(degree, new Modulus(NttPrimes.Generate(bits, 2 * (ulong)degree, 1)[0]));

    // Random values among which are edges, all of one end, both ends in turn, and the polynomials 1 and X^(n-1).
    private static IEnumerable<double[]> Inputs(NegacyclicNtt ntt)
    {
        double half = ntt.Modulus.Value / 2;
        yield return Balanced.Draw(ntt.Degree, ntt.Modulus, new Random(1));
        yield return [.. Enumerable.Repeat(half, ntt.Degree)];
        yield return [.. Enumerable.Repeat(-half, ntt.Degree)];
        yield return [.. Enumerable.Range(0, ntt.Degree).Select(i => i % 2 == 0 ? half : -half)];
        double[] one = new double[ntt.Degree], last = new double[ntt.Degree];
        one[0] = last[^1] = 1;
        yield return one;
        yield return last;
    }

    private static double[] Forward(NegacyclicNtt ntt, double[] input, VectorWidth width)
    {
        double[] copy = [.. input];
        ntt.Forward(copy, NttOrder.Internal, width);
        return copy;
    }

    private static double[] Inverse(NegacyclicNtt ntt, double[] input, VectorWidth width)
    {
        double[] copy = [.. input];
        ntt.Inverse(copy, NttOrder.Internal, width);
        return copy;
    }

    // The sign of zero included.
    private static void AssertSameBits(double[] expected, double[] actual) =>
        Assert.True(System.Runtime.InteropServices.MemoryMarshal.AsBytes<double>(expected).SequenceEqual(System.Runtime.InteropServices.MemoryMarshal.AsBytes<double>(actual)));
}
