using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Tests.Ring;

public sealed class ProductSumTests
{
    [Theory, InlineData(45), InlineData(49), InlineData(20)]
    public unsafe void Sums_of_products_are_exact_at_every_width(int bits)
    {
        var modulus = new Modulus(NttPrimes.Generate(bits, 2048, 1)[0]);
        var random = new Random(bits);
        long p = (long)modulus.Value;
        int most = Math.Min(ProductSum.Most(modulus), 300);
        double* a = stackalloc double[16], b = stackalloc double[16], c = stackalloc double[16], first = stackalloc double[16], second = stackalloc double[16];
        foreach (VectorWidth width in Enum.GetValues<VectorWidth>())
        {
            new Span<double>(first, 16).Clear();
            new Span<double>(second, 16).Clear();
            var expectedFirst = new Int128[16];
            var expectedSecond = new Int128[16];
            for (int product = 0; product < most; product++)
            {
                for (int i = 0; i < 16; i++)
                {
                    // The ends of the range, over and over: the worst for a sum.
                    a[i] = i < 4 ? p / 2 : random.NextInt64(p) - p / 2;
                    b[i] = i < 4 ? (i % 2 == 0 ? p / 2 : -(p / 2)) : random.NextInt64(p) - p / 2;
                    c[i] = random.NextInt64(p) - p / 2;
                    expectedFirst[i] = (expectedFirst[i] + (Int128)a[i] * (Int128)b[i]) % p;
                    expectedSecond[i] = (expectedSecond[i] + (Int128)a[i] * (Int128)c[i]) % p;
                }
                ProductSum.Add(first, second, a, b, c, 16, modulus, width);
            }
            ProductSum.Reduce(first, 16, modulus, width);
            ProductSum.Reduce(second, 16, modulus, width);
            for (int i = 0; i < 16; i++)
            {
                Assert.Equal((ulong)((expectedFirst[i] + p) % p), modulus.Unbalance(first[i]));
                Assert.Equal((ulong)((expectedSecond[i] + p) % p), modulus.Unbalance(second[i]));
                Assert.InRange(first[i], -(p / 2), p / 2);
            }
        }
    }

    [Fact]
    public void Draws_and_orders_are_uniform()
    {
        using SeedExpander stream = SeedExpander.Fresh();
        using var draws = new UniformDraws(stream);
        var counts = new int[3];
        for (int i = 0; i < 30_000; i++) counts[draws.Below(3)]++;
        Assert.All(counts, count => Assert.InRange(count, 9_500, 10_500)); // six standard deviations
        Assert.All(Enumerable.Range(0, 1000), _ => Assert.InRange(draws.Below(65537), 0u, 65536u));
        var orders = new Dictionary<string, int>();
        for (int i = 0; i < 24_000; i++)
        {
            int[] order = [0, 1, 2, 3];
            draws.Shuffle(order);
            string key = string.Concat(order);
            orders[key] = orders.GetValueOrDefault(key) + 1;
        }
        Assert.Equal(24, orders.Count);
        Assert.All(orders.Values, count => Assert.InRange(count, 800, 1200));
    }
}
