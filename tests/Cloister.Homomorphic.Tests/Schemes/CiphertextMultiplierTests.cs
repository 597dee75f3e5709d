using System.Numerics;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Schemes;
using Cloister.Homomorphic.Tests.Rlwe;

namespace Cloister.Homomorphic.Tests.Schemes;

public sealed class CiphertextMultiplierTests
{
    [Theory]
    [InlineData(4096, 65537UL)]
    [InlineData(8192, 65537UL)]
    [InlineData(8192, 1032193UL)]
    [InlineData(16384, 65537UL)]
    public void Products_hold_the_products_of_the_slots_at_every_level(int degree, ulong t)
    {
        RlweParameters parameters = RlweParameters.Create(RingParameters.Standard(degree), t, specialModuli: 1);
        using SecretKey key = SecretKey.Generate(parameters);
        using PublicKey open = PublicKey.Of(key);
        using RelinearizationKey relinearization = RelinearizationKey.Of(key);
        var encoder = new SlotEncoder(parameters);
        var multiplier = new CiphertextMultiplier(parameters);
        var random = new Random(degree);
        ulong[] a = Draw(), b = Draw();
        ulong[] productMessage = encoder.Encode(Times(a, b)), squareMessage = encoder.Encode(Times(a, a));
        Ciphertext x = Encryption.Encrypt(encoder.Encode(a), open), y = Encryption.Encrypt(encoder.Encode(b), open);
        // Until the noise, t n (n + 4)/2 times what rounding leaves, no longer fits below Q/(2t).
        for (BigInteger noiseX = Noise(x, a), noiseY = Noise(y, b); 2 * t * Bound(noiseX, noiseY) < x.Basis.Product; (noiseX, noiseY) = (Noise(x, a), Noise(y, b)))
        {
            int moduli = x.Basis.Count;
            using (Ciphertext product = multiplier.Multiply(x, y))
            {
                Assert.Equal(3, product.Size);
                Assert.Equal(moduli, product.Basis.Count);
                Check(product, productMessage, Bound(noiseX, noiseY));
                product.Relinearize(relinearization);
                Assert.Equal(2, product.Size);
                Check(product, productMessage, Bound(noiseX, noiseY) + KeySwitchingTests.NoiseBound(parameters, moduli));
            }
            using (Ciphertext square = multiplier.Square(x)) Check(square, squareMessage, Bound(noiseX, noiseX));
            int drops = degree < 16384 ? 1 : 3; // every level, or of the longest chain every third
            if (moduli <= drops) break;
            for (int drop = 0; drop < drops; drop++) (x, y) = (Drop(x), Drop(y));
        }
        Assert.True(x.Basis.Count < parameters.Basis.Count);
        x.Dispose();
        y.Dispose();

        ulong[] Draw() => [.. Enumerable.Range(0, degree).Select(i => i < 4 ? t - 1 - (ulong)i : (ulong)random.NextInt64((long)t))];
        ulong[] Times(ulong[] left, ulong[] right) => [.. left.Zip(right, (l, r) => (ulong)((UInt128)l * r % t))];
        void Check(Ciphertext ciphertext, ulong[] message, BigInteger bound)
        {
            Assert.Equal(message, Encryption.Decrypt(ciphertext, key));
            Assert.True(NoiseMeter.Measure(ciphertext, message, key) < bound);
        }

        // With phases Q/t m + v + Q a, |a| <= (n + 3)/2 and |m| <= t/2: n t (v_x + v_y) (n + 4)/2, t n v_x v_y / Q, and the rounding of three parts.
        BigInteger Bound(BigInteger left, BigInteger right)
        {
            BigInteger n = degree;
            return n * t * (left + right) * (n + 4) / 2 + t * n * left * right / x.Basis.Product + n * n + n + 2;
        }

        BigInteger Noise(Ciphertext ciphertext, ulong[] numbers) => NoiseMeter.Measure(ciphertext, encoder.Encode(numbers), key) + 1;
    }

    [Fact]
    public void Products_of_products_hold_after_mod_switching()
    {
        RlweParameters parameters = RlweParameters.Create(RingParameters.Standard(16384), 65537, specialModuli: 1);
        using SecretKey key = SecretKey.Generate(parameters);
        using RelinearizationKey relinearization = RelinearizationKey.Of(key);
        var encoder = new SlotEncoder(parameters);
        var multiplier = new CiphertextMultiplier(parameters);
        ulong[] numbers = [.. Enumerable.Range(0, 16384).Select(i => (ulong)i * 13 % 65537)];
        using SeededCiphertext seeded = Encryption.Encrypt(encoder.Encode(numbers), key);
        Ciphertext power = seeded.Expand();
        for (int depth = 0; depth < 4; depth++)
        {
            Ciphertext square = multiplier.Square(power);
            square.Relinearize(relinearization);
            power.Dispose();
            power = Drop(square);
            numbers = [.. numbers.Select(number => number * number % 65537)];
            Assert.Equal(numbers, encoder.Decode(Encryption.Decrypt(power, key)));
        }
        power.Dispose();
    }

    [Fact]
    public void Sums_of_products_need_one_relinearisation()
    {
        RlweParameters parameters = RlweParameters.Create(RingParameters.Standard(8192), 65537, specialModuli: 1);
        using SecretKey key = SecretKey.Generate(parameters);
        using RelinearizationKey relinearization = RelinearizationKey.Of(key);
        var encoder = new SlotEncoder(parameters);
        var multiplier = new CiphertextMultiplier(parameters);
        using SeededCiphertext seeded = Encryption.Encrypt(encoder.Encode([3, 5, 7]), key);
        using Ciphertext x = seeded.Expand(), sum = x.Copy(), product = multiplier.Square(x), copy = product.Copy();
        sum.Add(product);           // two parts receive a third
        sum.Subtract(x);
        sum.Add(product);
        sum.Negate();
        using Ciphertext smaller = sum.DropModulus();
        Assert.Equal(3, smaller.Size);
        smaller.Relinearize(relinearization);
        ulong[] doubled = encoder.Decode(Encryption.Decrypt(smaller, key));
        Assert.Equal([65537UL - 18, 65537UL - 50, 65537UL - 98], doubled[..3]);
        copy.MultiplyPlain(encoder.Encode([.. Enumerable.Repeat(2UL, 8192)]));
        Assert.Equal([18UL, 50, 98], encoder.Decode(Encryption.Decrypt(copy, key))[..3]);
        Assert.Equal(HomomorphicError.Transparent, Refused(() => product.Subtract(product)));
        Assert.Equal(HomomorphicError.NotRelinearized, Refused(() => multiplier.Multiply(product, product)));
        Assert.Equal(HomomorphicError.NotRelinearized, Refused(() => multiplier.Square(product)));
        using GaloisKeys keys = GaloisKeys.Of(key, [1]);
        Assert.Equal(HomomorphicError.NotRelinearized, Refused(() => product.RotateRows(1, keys)));
        Assert.Equal(HomomorphicError.OtherModuli, Refused(() => multiplier.Multiply(x, smaller)));
        Assert.Equal(HomomorphicError.OtherModuli, Refused(() => x.Add(smaller)));
        var others = new CiphertextMultiplier(RlweParameters.Create(RingParameters.Standard(8192), 65537, specialModuli: 1));
        Assert.Equal(HomomorphicError.OtherParameters, Refused(() => others.Square(x)));
    }

    private static Ciphertext Drop(Ciphertext ciphertext)
    {
        using (ciphertext) return ciphertext.DropModulus();
    }

    private static HomomorphicError Refused(Action act) => Assert.Throws<HomomorphicException>(act).Error;
}
