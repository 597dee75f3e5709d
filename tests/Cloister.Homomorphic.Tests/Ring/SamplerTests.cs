using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Tests.Ring;

public sealed class SamplerTests
{
    private static readonly RnsBasis Basis = RingParameters.Standard(32768).Basis.Slice(..3);

    [Fact]
    public void The_stream_is_AES_256_over_a_counter_under_the_hash_of_label_and_seed()
    {
        byte[] seed = [.. Enumerable.Range(0, 32).Select(i => (byte)i)], stream = new byte[20_000];
        using (var expander = new SeedExpander(seed, "test"u8))
        {
            expander.Fill(stream.AsSpan(0, 1));
            expander.Fill(stream.AsSpan(1, 8190));
            expander.Fill(stream.AsSpan(8191));
        }
        using var aes = Aes.Create();
        aes.SetKey(SHA256.HashData([4, .. "test"u8, .. seed]));
        foreach (int block in (int[])[0, 1, 511, 512, 1024, 1249])
        {
            byte[] counter = new byte[16];
            BitConverter.TryWriteBytes(counter, block);
            Assert.Equal(aes.EncryptEcb(counter, PaddingMode.None), stream[(block * 16)..(block * 16 + 16)]);
        }
    }

    [Fact]
    public void Seeds_and_labels_give_streams_of_their_own()
    {
        byte[] seed = new byte[32], other = new byte[32];
        other[31] = 1;
        byte[][] streams = [First(seed, "a"), First(seed, "b"), First(other, "a"), First(seed, "")];
        Assert.Equal(streams.Length, streams.Select(Convert.ToHexString).Distinct().Count());
        Assert.Equal(streams[0], First(seed, "a"));
        using SeedExpander one = SeedExpander.Fresh(), two = SeedExpander.Fresh();
        byte[] a = new byte[32], b = new byte[32];
        one.Fill(a);
        two.Fill(b);
        Assert.NotEqual(a, b);
        Assert.Throws<ArgumentException>(() => new SeedExpander(new byte[31], default));
        Assert.Throws<ArgumentException>(() => new SeedExpander(new byte[32], new byte[256]));
        one.Dispose();
        Assert.Throws<ObjectDisposedException>(() => one.Fill(a));
    }

    [Fact]
    public void Uniform_residues_are_the_same_at_every_width_and_fill_the_range()
    {
        // A prime just above a power of two rejects almost every second word; one just below rejects hardly any.
        ulong low = 1UL << 40 | 1;
        while (!NttPrimes.IsPrime(low)) low += 2;
        var basis = new RnsBasis(32768, new Modulus(low), new Modulus(NttPrimes.Generate(49, 65536, 1)[0]), new Modulus(NttPrimes.Generate(26, 2048, 1)[0]), new Modulus(3));
        using RnsPolynomial polynomial = new(basis), scalar = new(basis);
        using (SeedExpander stream = Stream(1)) Samplers.Uniform(stream, polynomial, VectorWidth.Wide512);
        using (SeedExpander stream = Stream(1)) Samplers.Uniform(stream, scalar, VectorWidth.Scalar);
        for (int limb = 0; limb < basis.Count; limb++)
        {
            double p = basis.Moduli[limb].Value;
            double[] values = polynomial.Limb(limb).ToArray();
            Assert.Equal(scalar.Limb(limb).ToArray(), values);
            Assert.All(values, value => Assert.True(Math.Abs(value) <= (p - 1) / 2 && value == Math.Floor(value)));
            // Mean 0 and variance p^2/12: five standard deviations of their estimates.
            Assert.InRange(values.Average() / p, -5 * Math.Sqrt(1.0 / 12 / values.Length), 5 * Math.Sqrt(1.0 / 12 / values.Length));
            Assert.InRange(values.Average(value => value * value) / p / p, (1.0 / 12 * (1 - 1 / p / p)) - 5 * Math.Sqrt(1.0 / 180 / values.Length), (1.0 / 12) + 5 * Math.Sqrt(1.0 / 180 / values.Length));
            // Sixteen equal cells, each within five standard deviations (three values fill no cells).
            if (p > 16) Assert.All(values.CountBy(value => (int)((value / p + 0.5) * 16)), cell => Assert.InRange(cell.Value, 2048 - 5 * 44, 2048 + 5 * 44));
        }
    }

    [Theory]
    [InlineData(1024)]
    [InlineData(4096)]
    [InlineData(32768)]
    public void Secrets_and_errors_are_the_documented_ones_at_every_width(int degree)
    {
        var basis = new RnsBasis(degree, new Modulus(NttPrimes.Generate(30, 65536, 1)[0]));
        int m = (degree + 319) / 320 * 64, rows = 6 * degree;
        byte[] bytes = new byte[Math.Max(rows, 8 * m)];
        using (SeedExpander stream = Stream(5)) stream.Fill(bytes);
        byte[] kept = [.. bytes.Where(value => value < 243).Take(m)];
        int[] powers = [1, 3, 9, 27, 81];
        double[] ternary = [.. Enumerable.Range(0, degree).Select(i => (double)(kept[i % m] / powers[i / m] % 3 - 1))];
        double[] errors = [.. Enumerable.Range(0, degree).Select(i => Ones(i / 64 * 384 + i % 64) - Ones(i / 64 * 384 + 192 + i % 64))];
        foreach (VectorWidth width in Balanced.Widths)
        {
            using var polynomial = new RnsPolynomial(basis);
            using (SeedExpander stream = Stream(5)) Samplers.Ternary(stream, polynomial, width);
            Assert.Equal(ternary, polynomial.Limb(0).ToArray());
            using (SeedExpander stream = Stream(5)) Samplers.CenteredBinomial(stream, polynomial, width);
            Assert.Equal(errors, polynomial.Limb(0).ToArray());
        }

        double Ones(int at) => System.Numerics.BitOperations.PopCount((uint)(bytes[at] | bytes[at + 64] << 8 | (bytes[at + 128] & 31) << 16));
    }

    [Fact]
    public void Ternary_coefficients_have_equal_chances()
    {
        using var polynomial = new RnsPolynomial(Basis);
        using (SeedExpander stream = Stream(2)) Samplers.Ternary(stream, polynomial);
        double[] values = polynomial.Limb(0).ToArray();
        Assert.All(values, value => Assert.Contains(value, (double[])[-1, 0, 1]));
        double third = values.Length / 3.0, deviation = Math.Sqrt(values.Length * 2.0 / 9);
        foreach (double digit in (double[])[-1, 0, 1]) Assert.InRange(values.Count(value => value == digit), third - 5 * deviation, third + 5 * deviation);
        // Neighbours are independent: nine equal pairs.
        double ninth = values.Length / 18.0;
        Assert.All(values.Chunk(2).CountBy(pair => (pair[0], pair[1])), pair => Assert.InRange(pair.Value, ninth - 5 * Math.Sqrt(ninth), ninth + 5 * Math.Sqrt(ninth)));
        for (int limb = 1; limb < Basis.Count; limb++) Assert.Equal(values, polynomial.Limb(limb).ToArray());
    }

    [Fact]
    public void Errors_follow_the_centred_binomial_distribution()
    {
        using var polynomial = new RnsPolynomial(Basis);
        using (SeedExpander stream = Stream(3)) Samplers.CenteredBinomial(stream, polynomial);
        double[] values = polynomial.Limb(0).ToArray();
        Assert.All(values, value => Assert.InRange(value, -21, 21));
        int n = values.Length;
        Assert.InRange(values.Average(), -5 * Math.Sqrt(10.5 / n), 5 * Math.Sqrt(10.5 / n));
        // The fourth moment is below that of a normal distribution, 3 sigma^4: the estimate of the variance errs by at most sigma^2 sqrt(2/n).
        Assert.InRange(values.Average(value => value * value), 10.5 * (1 - 5 * Math.Sqrt(2.0 / n)), 10.5 * (1 + 5 * Math.Sqrt(2.0 / n)));
        for (int value = -12; value <= 12; value++)
        {
            double expected = n * Binomial(42, 21 + value) / Math.Pow(2, 42);
            Assert.InRange(values.Count(one => one == value), expected - 5 * Math.Sqrt(expected) - 5, expected + 5 * Math.Sqrt(expected) + 5);
        }
        for (int limb = 1; limb < Basis.Count; limb++) Assert.Equal(values, polynomial.Limb(limb).ToArray());
    }

    [Fact]
    public void What_a_seed_expands_to_does_not_change_between_versions()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using SeedExpander stream = Stream(4);
        using var polynomial = new RnsPolynomial(RingParameters.Standard(4096).Basis);
        foreach (Action<SeedExpander, RnsPolynomial> sampler in (Action<SeedExpander, RnsPolynomial>[])[Samplers.Uniform, Samplers.Ternary, Samplers.CenteredBinomial])
        {
            sampler(stream, polynomial);
            for (int limb = 0; limb < polynomial.Basis.Count; limb++)
                hash.AppendData(MemoryMarshal.AsBytes<long>(polynomial.Limb(limb).ToArray().Select(value => (long)value).ToArray()));
        }
        Assert.Equal("FBEF46E967EB372657980F6F6C47169764EC9148D092BBE9DD403749870490CD", Convert.ToHexString(hash.GetHashAndReset()));
    }

    private static SeedExpander Stream(byte seed) => new([.. Enumerable.Repeat(seed, 32)], "samplers"u8);

    private static byte[] First(byte[] seed, string label)
    {
        using var expander = new SeedExpander(seed, System.Text.Encoding.UTF8.GetBytes(label));
        byte[] first = new byte[32];
        expander.Fill(first);
        return first;
    }

    private static double Binomial(int n, int k)
    {
        double result = 1;
        for (int i = 1; i <= k; i++) result = result * (n - k + i) / i;
        return result;
    }
}
