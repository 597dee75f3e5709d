using System.Numerics;
using Cloister.Homomorphic.Ring;
using FsCheck;
using FsCheck.Fluent;

namespace Cloister.Homomorphic.Tests.Ring;

public sealed class RnsTests
{
    private const int Degree = 1024;

    public static TheoryData<string> Chains() => ["49", "26", "35 35 36", "43 43 43 43 42", "48 48 48 48 48 48 48 48 46", "49 30 49 27 45 45 45 31 44 43 42 41 49"];

    [Theory, MemberData(nameof(Chains))]
    public void Residues_name_every_number_between_minus_and_plus_half_the_product(string bits)
    {
        RnsBasis basis = Basis(bits);
        BigInteger[] numbers = Numbers(basis, new Random(1));
        using RnsPolynomial polynomial = Of(basis, numbers);
        Assert.Equal(numbers, RnsIntegers.Compose(polynomial));
    }

    [Theory, MemberData(nameof(Chains))]
    public void Sums_differences_and_products_are_exact_at_every_width(string bits)
    {
        RnsBasis basis = Basis(bits);
        var random = new Random(2);
        foreach (VectorWidth width in Balanced.Widths)
        {
            BigInteger[] a = Numbers(basis, random), b = Numbers(basis, random), r = Numbers(basis, random);
            Check<Addition>((r, a, b) => a + b);
            Check<Subtraction>((r, a, b) => a - b);
            Check<Multiplication>((r, a, b) => a * b);
            Check<Accumulation>((r, a, b) => r + a * b);
            Check<Deduction>((r, a, b) => r - a * b);
            Check<DifferenceTimes>((r, a, b) => (a - r) * b);

            void Check<TOperation>(Func<BigInteger, BigInteger, BigInteger, BigInteger> exact)
                where TOperation : struct, IElementOperation
            {
                using RnsPolynomial x = Of(basis, a), y = Of(basis, b), z = Of(basis, r);
                z.Run<TOperation>(x, y, width);
                Assert.Equal(r.Select((_, i) => Balanced.Mod(exact(r[i], a[i], b[i]), basis.Product)), RnsIntegers.Compose(z));
            }
        }
    }

    [Theory, MemberData(nameof(Chains))]
    public void Conversions_keep_the_number(string bits)
    {
        RnsBasis from = Basis(bits), to = Fresh("49 33 20 47", from);
        BigInteger[] numbers = Numbers(from, new Random(3));
        using RnsPolynomial source = Of(from, numbers);
        var converter = new BaseConverter(from, to);
        foreach (VectorWidth width in Balanced.Widths)
        {
            using var target = new RnsPolynomial(to);
            converter.Convert(source, target, BaseConversion.Exact, width);
            Assert.Equal(numbers.Select(x => Balanced.Mod(x, to.Product)), RnsIntegers.Compose(target));

            converter.Convert(source, target, BaseConversion.Corrected, width);
            BigInteger[] corrected = RnsIntegers.Compose(target);
            BigInteger margin = (from.Product >> 1) - (from.Product >> 43);
            for (int i = 0; i < numbers.Length; i++)
            {
                int[] turns = BigInteger.Abs(numbers[i]) < margin ? [0] : [0, 1, -1];
                Assert.Contains(corrected[i], turns.Select(a => Balanced.Mod(numbers[i] + a * from.Product, to.Product)));
            }

            converter.Convert(source, target, BaseConversion.Fast, width);
            BigInteger[] fast = RnsIntegers.Compose(target);
            int turn = (from.Count + 1) / 2;
            for (int i = 0; i < numbers.Length; i++)
                Assert.Contains(fast[i], Enumerable.Range(-turn, 2 * turn + 1).Select(a => Balanced.Mod(numbers[i] + a * from.Product, to.Product)));
        }
    }

    [Theory]
    [InlineData("35 35 36", 1)]
    [InlineData("43 43 43 43 42", 1)]
    [InlineData("43 43 43 43 42", 3)]
    [InlineData("49 26", 1)]
    [InlineData("26 49", 1)]
    [InlineData("48 48 48 48 48 48 48 48 46", 8)]
    public void Division_by_the_last_moduli_rounds_to_the_nearest(string bits, int dropped)
    {
        RnsBasis basis = Basis(bits);
        var division = new RnsDivision(basis, dropped);
        BigInteger divisor = basis.Product / division.Remaining.Product;
        BigInteger[] numbers = Numbers(basis, new Random(4), divisor);
        BigInteger[] expected = [.. numbers.Select(x => Balanced.Mod((x - Balanced.Mod(x, divisor)) / divisor, division.Remaining.Product))];
        using RnsPolynomial source = Of(basis, numbers);
        foreach (VectorWidth width in Balanced.Widths)
        {
            using var quotient = new RnsPolynomial(division.Remaining);
            division.Divide(source, quotient, width);
            Assert.Equal(expected, RnsIntegers.Compose(quotient));
        }
        source.ToValues();
        foreach (VectorWidth width in Balanced.Widths)
        {
            using var values = new RnsPolynomial(division.Remaining);
            division.Divide(source, values, width);
            Assert.Equal(RnsForm.Values, values.Form);
            values.ToCoefficients();
            Assert.Equal(expected, RnsIntegers.Compose(values));
        }
    }

    [Theory]
    [InlineData("49", 65537UL)]
    [InlineData("35 35 36", 65537UL)]
    [InlineData("43 43 43 43 42", 1032193UL)]
    [InlineData("49 49", 1UL << 26)]
    [InlineData("49 49 49", 3UL)]
    [InlineData("48 48 48 48 48 48 48 48 46", 562949953421311UL)]
    public void Scaling_to_the_plaintext_rounds_to_the_nearest(string bits, ulong t)
    {
        RnsBasis basis = Basis(bits), plain = new(Degree, Modulus.OfPlaintext(t));
        var scaling = new RnsScaling(basis, plain, t);
        BigInteger[] numbers = Numbers(basis, new Random(5));
        using RnsPolynomial x = Of(basis, numbers);
        foreach (VectorWidth width in Balanced.Widths)
        {
            using var result = new RnsPolynomial(plain);
            scaling.Scale(x, null, result, width);
            Modulus modulus = plain.Moduli[0];
            for (int i = 0; i < numbers.Length; i++)
            {
                // round(a / b) for b > 0 is floor((2a + b) / 2b).
                BigInteger rounded = BigInteger.DivRem(2 * numbers[i] * t + basis.Product, 2 * basis.Product, out BigInteger rest) - (rest.Sign < 0 ? 1 : 0);
                Assert.Equal((ulong)(((rounded % t) + t) % t), modulus.Unbalance(result.Limb(0)[i]) % t);
            }
        }
    }

    [Fact]
    public void Scaling_to_an_extension_rounds_to_the_nearest()
    {
        const ulong T = 65537;
        RnsBasis basis = Basis("43 43 43"), extension = Fresh("49 49 49 45", basis);
        BigInteger[] numbers = Numbers(basis, new Random(6), bound: basis.Product * extension.Product / (2 * T));
        using RnsPolynomial x = Of(basis, numbers), more = Of(extension, numbers), result = new(extension);
        new RnsScaling(basis, extension, T).Scale(x, more, result);
        Assert.Equal(
            numbers.Select(number => Balanced.Mod((number * T - Balanced.Mod(number * T, basis.Product)) / basis.Product, extension.Product)),
            RnsIntegers.Compose(result));
        Assert.Throws<ArgumentException>(() => new RnsScaling(basis, extension, T).Scale(x, result));
    }

    [Fact]
    public void A_product_of_polynomials_is_exact_over_any_chain() =>
        Prop.ForAll<int>(seed =>
        {
            RnsBasis basis = Basis("43 44 45");
            var random = new Random(seed);
            using var a = new RnsPolynomial(basis);
            using var b = new RnsPolynomial(basis);
            BigInteger left = Numbers(basis, random)[random.Next(Degree)], right = Numbers(basis, random)[random.Next(Degree)];
            int i = random.Next(Degree), j = random.Next(Degree);
            var single = new BigInteger[Degree];
            single[i] = left;
            RnsIntegers.Decompose(single, a);
            single[i] = 0;
            single[j] = right;
            RnsIntegers.Decompose(single, b);
            a.ToValues();
            b.ToValues();
            a.Multiply(b);
            a.ToCoefficients();
            single[j] = 0;
            single[(i + j) % Degree] = Balanced.Mod(i + j < Degree ? left * right : -left * right, basis.Product);
            return RnsIntegers.Compose(a).SequenceEqual(single);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Wrong_bases_forms_and_lengths_are_the_callers_mistake()
    {
        RnsBasis two = Basis("43 44"), other = Basis("45 46");
        using RnsPolynomial a = new(two), b = new(other), values = new(two, RnsForm.Values);
        Assert.Throws<ArgumentException>(() => a.Add(b));
        Assert.Throws<ArgumentException>(() => a.Add(values));
        Assert.Throws<ArgumentException>(() => a.Multiply(a));
        Assert.Throws<ArgumentException>(() => a.CopyFrom(b));
        Assert.Throws<ArgumentException>(() => a.SetSmall(new double[3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => { _ = a.Limb(2); });
        Assert.Throws<ArgumentException>(() => new RnsDivision(two).Divide(b, a));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RnsDivision(two, 2));
        Assert.Throws<ArgumentException>(() => new BaseConverter(two, other).Convert(b, a, BaseConversion.Fast));
        Assert.Equal(HomomorphicError.ChainLength, Assert.Throws<HomomorphicException>(() => new RnsBasis(Degree)).Error);
        Assert.Equal(HomomorphicError.ModulusRepeated, Assert.Throws<HomomorphicException>(() => new RnsBasis(Degree, two.Moduli[0], two.Moduli[0])).Error);
        Assert.Equal(HomomorphicError.ModulusSize, Assert.Throws<HomomorphicException>(() => Modulus.OfPlaintext(1)).Error);
    }

    [Fact]
    public void A_disposed_polynomial_is_gone()
    {
        var polynomial = new RnsPolynomial(Basis("43"));
        polynomial.Dispose();
        Assert.Throws<ObjectDisposedException>(() => { _ = polynomial.Limb(0); });
    }

    internal static RnsBasis Basis(string bits) => Fresh(bits, null);

    // Primes of these sizes that the other basis does not have.
    private static RnsBasis Fresh(string bits, RnsBasis? other)
    {
        var taken = new HashSet<ulong>(other?.Moduli.Select(modulus => modulus.Value) ?? []);
        return new RnsBasis(Degree, [.. bits.Split(' ').Select(int.Parse).Select(size => new Modulus(NttPrimes.Generate(size, 2 * Degree, 20 < size ? 20 : 4).First(taken.Add)))]);
    }

    private static RnsPolynomial Of(RnsBasis basis, BigInteger[] numbers)
    {
        var polynomial = new RnsPolynomial(basis);
        RnsIntegers.Decompose(numbers, polynomial);
        return polynomial;
    }

    // Both ends of the range and their neighbours, zero, halves of a divisor, and numbers of every size.
    private static BigInteger[] Numbers(RnsBasis basis, Random random, BigInteger? divisor = null, BigInteger? bound = null)
    {
        BigInteger half = bound ?? basis.Product / 2, step = divisor ?? basis.Moduli[0].Value;
        BigInteger[] edges = [0, 1, -1, half, -half, half - 1, 1 - half, step / 2, -(step / 2), step / 2 + 1, step, half / 3];
        byte[] bytes = new byte[half.GetByteCount() + 1];
        return [.. Enumerable.Range(0, Degree).Select(i =>
        {
            if (i < edges.Length) return BigInteger.Min(half, BigInteger.Max(-half, edges[i]));
            random.NextBytes(bytes);
            BigInteger any = new BigInteger(bytes) % (half + 1);
            return any >> random.Next(i % 3 == 0 ? (int)half.GetBitLength() : 1);
        })];
    }
}
