using System.Numerics;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Schemes;
using Cloister.Homomorphic.Tests.Ring;

namespace Cloister.Homomorphic.Tests.Rlwe;

public sealed class KeySwitchingTests
{
    private const ulong T = 65537;

    [Theory]
    [InlineData(4096)]
    [InlineData(8192)]
    [InlineData(16384)]
    public void Rows_rotate_and_swap_at_every_level_with_little_noise(int degree)
    {
        RlweParameters parameters = Make(degree);
        using SecretKey key = SecretKey.Generate(parameters);
        int[] steps = [1, -3, degree / 2 - 1];
        using GaloisKeys keys = GaloisKeys.Of(key, steps, swapRows: true);
        var encoder = new SlotEncoder(parameters);
        ulong[] numbers = [.. Enumerable.Range(0, degree).Select(i => (ulong)(i * 7919L % (long)T))];
        using SeededCiphertext seeded = Encryption.Encrypt(encoder.Encode(numbers), key);
        Ciphertext level = seeded.Expand();
        for (int moduli = parameters.Basis.Count; ; moduli--)
        {
            foreach (int step in steps)
            {
                using Ciphertext rotated = level.Copy();
                rotated.RotateRows(step, keys);
                AssertHolds(rotated, Rotated(numbers, step));
            }
            using Ciphertext swapped = level.Copy();
            swapped.SwapRows(keys);
            AssertHolds(swapped, [.. numbers[(degree / 2)..], .. numbers[..(degree / 2)]]);
            if (moduli == 1) break;
            Ciphertext next = level.DropModulus();
            level.Dispose();
            level = next;
        }
        level.Dispose();

        void AssertHolds(Ciphertext ciphertext, ulong[] expected)
        {
            ulong[] message = encoder.Encode(expected);
            Assert.Equal(expected, encoder.Decode(Encryption.Decrypt(ciphertext, key)));
            Assert.True(NoiseMeter.Measure(ciphertext, message, key) < NoiseBound(parameters, ciphertext.Basis.Count) + degree);
        }
    }

    [Fact]
    public void Every_width_switches_to_the_same_bits()
    {
        RlweParameters parameters = Make(4096);
        using SecretKey key = SecretKey.Generate(parameters);
        using GaloisKeys keys = GaloisKeys.Of(key, [5]);
        KeySwitchingKey switching = keys.Key(GaloisKeys.Element(4096, 5));
        using var c = new RnsPolynomial(parameters.Basis, RnsForm.Values);
        using (SeedExpander stream = SeedExpander.Fresh()) Samplers.Uniform(stream, c);
        double[]? expected = null;
        foreach (VectorWidth width in Balanced.Widths)
        {
            using RnsPolynomial u0 = new(parameters.Basis, RnsForm.Values), u1 = new(parameters.Basis, RnsForm.Values);
            KeySwitching.Apply(c, switching, u0, u1, width);
            double[] all = [.. u0.Limb(0), .. u0.Limb(1), .. u1.Limb(0), .. u1.Limb(1)];
            Assert.Equal(expected ??= all, all);
        }
    }

    [Fact]
    public void An_automorphism_replaces_X_by_a_power_of_it()
    {
        RnsBasis basis = RingParameters.Standard(2048).Basis;
        foreach (int element in (int[])[1, 3, 9, 4095, 1025, 2047])
        {
            double[] input = Balanced.Draw(2048, basis.Moduli[0], new Random(element)), expected = new double[2048];
            for (int i = 0; i < input.Length; i++)
            {
                int power = (int)((long)i * element % 4096);
                expected[power % 2048] = power < 2048 ? input[i] : -input[i];
            }
            using RnsPolynomial source = new(basis), target = new(basis);
            input.CopyTo(source.Limb(0));
            source.ToValues();
            new Automorphism(2048, element).Apply(source, target);
            target.ToCoefficients();
            Assert.Equal(expected, target.Limb(0).ToArray());
            Assert.Throws<ArgumentException>(() => new Automorphism(2048, element).Apply(source, source));
            Assert.Throws<ArgumentException>(() => new Automorphism(2048, element).Apply(target, source));
        }
        foreach (int element in (int[])[0, 2, -1, 4097]) Assert.Throws<ArgumentException>(() => new Automorphism(2048, element));
    }

    [Fact]
    public void Keys_have_the_layout_of_SEALs()
    {
        RlweParameters parameters = Make(8192);
        using SecretKey key = SecretKey.Generate(parameters);
        using RelinearizationKey relinearization = RelinearizationKey.Of(key);
        Assert.Equal(parameters.Basis.Count, relinearization.Key.Count);
        using RnsPolynomial square = new(parameters.Ring.Basis, RnsForm.Values);
        square.AddProduct(key.Values, key.Values);
        square.ToCoefficients();
        RnsPolynomial[] expanded = KeySwitchingKey.Expand(parameters, relinearization.Key.Seed);
        for (int j = 0; j < relinearization.Key.Count; j++)
        {
            Assert.Equal(expanded[j].Limb(2).ToArray(), relinearization.Key.A(j).Limb(2).ToArray());
            using RnsPolynomial phase = new(parameters.Ring.Basis);
            phase.CopyFrom(relinearization.Key.B(j));
            phase.AddProduct(relinearization.Key.A(j), key.Values);
            phase.ToCoefficients();
            for (int limb = 0; limb < parameters.Ring.Basis.Count; limb++)
            {
                Modulus q = parameters.Ring.Basis.Moduli[limb];
                BigInteger special = limb == j ? parameters.Ring.Basis.Moduli[^1].Value : 0;
                double[] errors = [.. Enumerable.Range(0, 8192).Select(i => (double)Balanced.Mod((BigInteger)phase.Limb(limb)[i] - special * (BigInteger)square.Limb(limb)[i], q.Value))];
                Assert.All(errors, error => Assert.InRange(error, -Samplers.BinomialBits, Samplers.BinomialBits));
                Assert.True(errors.Distinct().Count() > 10);
            }
            expanded[j].Dispose();
        }
    }

    [Fact]
    public void What_is_missing_or_foreign_is_refused_and_named()
    {
        RlweParameters parameters = Make(4096), others = Make(4096), plain = RlweParameters.Create(RingParameters.Standard(4096), T);
        using SecretKey key = SecretKey.Generate(parameters), foreign = SecretKey.Generate(others), without = SecretKey.Generate(plain);
        Assert.Equal(HomomorphicError.NoSpecialModulus, Refused(() => RelinearizationKey.Of(without)));
        Assert.Equal(HomomorphicError.NoSpecialModulus, Refused(() => GaloisKeys.Of(without, [1])));
        using GaloisKeys keys = GaloisKeys.Of(key, [1, 1, 0]), strange = GaloisKeys.Of(foreign, [1]);
        Assert.Equal([3], keys.Elements);
        using RelinearizationKey stranger = RelinearizationKey.Of(foreign);
        using SeededCiphertext seeded = Encryption.Encrypt(new ulong[4096], key);
        using Ciphertext ciphertext = seeded.Expand();
        Assert.Equal(HomomorphicError.NoGaloisKey, Refused(() => ciphertext.RotateRows(2, keys)));
        Assert.Equal(HomomorphicError.NoGaloisKey, Refused(() => ciphertext.SwapRows(keys)));
        Assert.Equal(HomomorphicError.OtherParameters, Refused(() => ciphertext.RotateRows(1, strange)));
        Assert.Equal(HomomorphicError.OtherParameters, Refused(() => ciphertext.Relinearize(stranger)));
        Assert.Throws<ArgumentOutOfRangeException>(() => ciphertext.RotateRows(2048, keys));
        Assert.Throws<ArgumentOutOfRangeException>(() => GaloisKeys.Of(key, [-2048]));
        ciphertext.RotateRows(0, keys); // nothing to do, no key needed
        Assert.Equal(new ulong[4096], Encryption.Decrypt(ciphertext, key));
    }

    // See KeySwitching: (k n 21 max(q)/2) / P + (1 + n)/2.
    internal static BigInteger NoiseBound(RlweParameters parameters, int moduli) =>
        moduli * (BigInteger)parameters.Ring.Degree * Samplers.BinomialBits * parameters.Basis.Moduli.Max(q => q.Value) / 2 / parameters.Ring.Basis.Moduli[^1].Value + (1 + parameters.Ring.Degree) / 2;

    private static ulong[] Rotated(ulong[] numbers, int steps)
    {
        int row = numbers.Length / 2;
        return [.. Enumerable.Range(0, numbers.Length).Select(i => numbers[i / row * row + ((i % row + steps) % row + row) % row])];
    }

    private static RlweParameters Make(int degree) => RlweParameters.Create(RingParameters.Standard(degree), T, specialModuli: 1);

    private static HomomorphicError Refused(Action act) => Assert.Throws<HomomorphicException>(act).Error;
}
