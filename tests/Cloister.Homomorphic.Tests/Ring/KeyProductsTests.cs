using System.Numerics;
using Cloister.Homomorphic.Ring;
using FsCheck;
using FsCheck.Fluent;

namespace Cloister.Homomorphic.Tests.Ring;

public sealed class KeyProductsTests
{
    private const int Degree = 1024;

    [Theory]
    [InlineData(49)] // values are reduced before they are multiplied
    [InlineData(48)]
    [InlineData(26)]
    public unsafe void Sums_of_products_and_their_division_are_exact_at_every_width(int bits) =>
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            var transform = new NegacyclicNtt(Degree, new Modulus(NttPrimes.Generate(bits, 2 * Degree, 1)[0]));
            Modulus modulus = transform.Modulus;
            int count = random.Next(1, 18); // beyond two reductions
            double half = modulus.Value / 2;
            double[][] digits = [.. Enumerable.Range(0, count).Select(_ => Digit()), Digit()], keys0 = [.. Keys()], keys1 = [.. Keys()];
            double[] addend = Key(), inverse = Key();
            BigInteger[] sum0 = new BigInteger[Degree], sum1 = new BigInteger[Degree];
            for (int j = 0; j < count; j++)
            {
                double[] values = Values(digits[j]);
                for (int i = 0; i < Degree; i++)
                {
                    sum0[i] += (BigInteger)values[i] * (BigInteger)keys0[j][i];
                    sum1[i] += (BigInteger)values[i] * (BigInteger)keys1[j][i];
                }
            }
            double[] rest = Values(digits[count]);
            foreach (VectorWidth width in Balanced.Widths)
            {
                double[] scratch = new double[Degree], first = new double[Degree], second = new double[Degree], added = new double[Degree], alone = new double[Degree];
                fixed (double* s = scratch, x = first, y = second, r = digits[count], a = addend, out0 = added, out1 = alone)
                {
                    for (int j = 0; j < count; j++)
                        fixed (double* digit = digits[j], key0 = keys0[j], key1 = keys1[j]) KeyProducts.AddTransformed(digit, s, transform, key0, key1, x, y, j, width);
                    KeyProducts.Finish(r, s, transform, x, inverse[0], a, out0, width);
                    KeyProducts.Finish(r, s, transform, y, inverse[0], null, out1, width);
                }
                for (int i = 0; i < Degree; i++)
                {
                    if (Mod(((sum0[i] - (BigInteger)rest[i]) * (BigInteger)inverse[0]) + (BigInteger)addend[i]) != added[i]) return false;
                    if (Mod((sum1[i] - (BigInteger)rest[i]) * (BigInteger)inverse[0]) != alone[i]) return false;
                }
            }
            return true;

            // Integers of the size of other moduli's residues, half of them as large as they come.
            double[] Digit() => [.. Enumerable.Range(0, Degree).Select(_ => (double)(random.Next(4) switch { 0 => (1L << 48) - 1, 1 => 1 - (1L << 48), _ => random.NextInt64(-(1L << 48), 1L << 48) }))];
            double[] Key() => Balanced.Draw(Degree, modulus, random);
            IEnumerable<double[]> Keys() => Enumerable.Range(0, count).Select(j => j == 0 ? [.. Enumerable.Repeat(half, Degree)] : Key());
            double Mod(BigInteger value) => (double)Balanced.Mod(value, modulus.Value);
            double[] Values(double[] coefficients)
            {
                double[] values = [.. coefficients.Select(coefficient => Mod((BigInteger)coefficient))];
                transform.Forward(values, NttOrder.Internal, VectorWidth.Scalar);
                return values;
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(10));

    [Fact]
    public void Memory_comes_back_zeroed_and_is_given_out_zeroed()
    {
        var pool = new AlignedPool();
        AlignedMemory memory = pool.Rent(1024);
        memory.Span.Fill(7);
        pool.Return(memory);
        AlignedMemory same = pool.RentAny(1024);
        Assert.Same(memory, same);
        Assert.False(same.Span.ContainsAnyExcept(0));
        same.Span.Fill(7);
        pool.ReturnPublic(same);
        Assert.NotSame(memory, pool.Rent(2048));
        AlignedMemory again = pool.Rent(1024);
        Assert.Same(memory, again);
        Assert.False(again.Span.ContainsAnyExcept(0));

        AlignedMemory[] many = [.. Enumerable.Range(0, 40).Select(_ => pool.Rent(64))];
        foreach (AlignedMemory one in many) pool.Return(one);
        Assert.Contains(many, one => one.IsClosed); // beyond what is kept, memory is freed
        Assert.Contains(many, one => !one.IsClosed);
    }

    [Fact]
    public void A_disposed_secret_is_zero_where_it_was()
    {
        RnsBasis basis = RnsTests.Basis("43 44");
        var secret = new RnsPolynomial(basis);
        secret.Limb(1).Fill(1);
        secret.Dispose();
        secret.Dispose(); // once is enough
        AlignedMemory memory = basis.Pool.RentAny(2 * Degree);
        Assert.False(memory.Span.ContainsAnyExcept(0));
        Assert.NotSame(memory, basis.Pool.RentAny(2 * Degree));
        Assert.Throws<ObjectDisposedException>(() => { _ = secret.Limb(0); });
    }
}
