using System.Numerics;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Tests.Rlwe;

public sealed class EncryptionTests
{
    public static TheoryData<int, ulong> Parameters() => new()
    {
        { 1024, 3 }, { 2048, 65537 }, { 2048, 1UL << 26 }, { 4096, 65537 }, { 8192, 1032193 }, { 8192, (1UL << 49) - 1 }, { 16384, 65537 }, { 32768, 2 },
    };

    [Theory, MemberData(nameof(Parameters))]
    public void What_the_secret_key_encrypts_it_decrypts(int degree, ulong t)
    {
        RlweParameters parameters = Make(degree, t);
        using SecretKey key = SecretKey.Generate(parameters);
        ulong[] message = Message(degree, t, 1);
        using SeededCiphertext seeded = Encryption.Encrypt(message, key);
        using Ciphertext ciphertext = seeded.Expand();
        Assert.Equal(message, Encryption.Decrypt(ciphertext, key));
        Assert.InRange(NoiseMeter.Measure(ciphertext, message, key), 1, Samplers.BinomialBits);
    }

    [Theory, MemberData(nameof(Parameters))]
    public void What_the_public_key_encrypts_the_secret_key_decrypts(int degree, ulong t)
    {
        RlweParameters parameters = Make(degree, t);
        using SecretKey key = SecretKey.Generate(parameters);
        using PublicKey open = PublicKey.Of(key);
        ulong[] message = Message(degree, t, 2);
        using Ciphertext ciphertext = Encryption.Encrypt(message, open);
        // e0 + e1 s - e u: each product is a sum of n terms of variance 10.5 * 2/3; ten standard deviations.
        Assert.InRange((double)NoiseMeter.Measure(ciphertext, message, key), Samplers.BinomialBits, 10 * Math.Sqrt(10.5 * (1 + 4.0 / 3 * degree)));
        Assert.Equal(message, Encryption.Decrypt(ciphertext, key));
    }

    [Theory]
    [InlineData(4096, 65537UL)]
    [InlineData(8192, 1032193UL)]
    [InlineData(16384, 65537UL)]
    public void A_special_modulus_takes_the_noise_of_public_encryption_and_leaves_the_ciphertext(int degree, ulong t)
    {
        RlweParameters parameters = RlweParameters.Create(RingParameters.Standard(degree), t, specialModuli: 1);
        Assert.Equal(parameters.Ring.Basis.Count - 1, parameters.Basis.Count);
        using SecretKey key = SecretKey.Generate(parameters);
        using PublicKey open = PublicKey.Of(key);
        Assert.Equal(parameters.Ring.Basis.Count, open.A.Basis.Count);
        ulong[] message = Message(degree, t, 9);
        using Ciphertext ciphertext = Encryption.Encrypt(message, open);
        using SeededCiphertext seeded = Encryption.Encrypt(message, key);
        using Ciphertext symmetric = seeded.Expand();
        Assert.Equal(parameters.Basis.Count, ciphertext.Basis.Count);
        Assert.Equal(parameters.Basis.Count, symmetric.Basis.Count);
        // Rounding of both parts: 1/2 + s/2, a sum of n terms of variance 2/3 * 1/12; ten standard deviations.
        Assert.InRange((double)NoiseMeter.Measure(ciphertext, message, key), 1, 2 + 10 * Math.Sqrt(degree / 18.0));
        Assert.Equal(message, Encryption.Decrypt(ciphertext, key));
        Assert.Equal(message, Encryption.Decrypt(symmetric, key));
        ciphertext.Add(symmetric);
        Assert.Equal(message.Select(m => 2 * m % t), Encryption.Decrypt(ciphertext, key));
    }

    [Fact]
    public void A_seed_is_a_key()
    {
        RlweParameters parameters = Make(4096, 65537);
        byte[] seed = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
        using SecretKey one = SecretKey.FromSeed(parameters, seed), same = SecretKey.FromSeed(parameters, seed);
        seed[31] ^= 1;
        using SecretKey other = SecretKey.FromSeed(parameters, seed);
        Assert.Equal(one.Values.Limb(2).ToArray(), same.Values.Limb(2).ToArray());
        Assert.NotEqual(one.Values.Limb(2).ToArray(), other.Values.Limb(2).ToArray());
        Assert.Throws<ArgumentException>(() => SecretKey.FromSeed(parameters, new byte[31]));
    }

    [Theory]
    [InlineData(2048, 1)]
    [InlineData(4096, 2)]
    [InlineData(4096, -1)]
    public void Other_numbers_of_special_moduli_are_refused(int degree, int specialModuli) =>
        Assert.Equal(HomomorphicError.SpecialModulus, Assert.Throws<HomomorphicException>(() => RlweParameters.Create(RingParameters.Standard(degree), 65537, specialModuli)).Error);

    [Fact]
    public void Messages_add_subtract_and_multiply_by_polynomials_in_the_clear()
    {
        const int Degree = 4096;
        const ulong T = 65537;
        RlweParameters parameters = Make(Degree, T);
        using SecretKey key = SecretKey.Generate(parameters);
        using PublicKey open = PublicKey.Of(key);
        ulong[] a = Message(Degree, T, 3), b = Message(Degree, T, 4), factor = Message(Degree, T, 5), small = new ulong[Degree];
        small[0] = 3;
        small[Degree - 1] = T - 2; // 3 - 2 X^(n-1)
        using Ciphertext x = Encryption.Encrypt(a, open), y = Encryption.Encrypt(b, open);
        x.Add(y);
        x.AddPlain(a);
        Assert.Equal(a.Select((m, i) => (2 * m + b[i]) % T), Encryption.Decrypt(x, key));
        x.Subtract(y);
        ulong[] twice = [.. a.Select(m => 2 * m % T)];
        Assert.Equal(twice, Encryption.Decrypt(x, key));

        x.MultiplyPlain(small);
        Assert.Equal(Multiply(twice, small, T), Encryption.Decrypt(x, key));
        y.MultiplyPlain(factor);
        Assert.Equal(Multiply(b, factor, T), Encryption.Decrypt(y, key));
    }

    [Fact]
    public void Factors_can_be_prepared_and_messages_subtracted_at_every_level()
    {
        const int Degree = 8192;
        const ulong T = 65537;
        RlweParameters parameters = RlweParameters.Create(RingParameters.Standard(Degree), T, specialModuli: 1), others = Make(Degree, T);
        using SecretKey key = SecretKey.Generate(parameters);
        using PublicKey open = PublicKey.Of(key);
        ulong[] message = Message(Degree, T, 10), factor = new ulong[Degree], expected = [.. message];
        factor[0] = T - 1;
        factor[5] = 2; // -1 + 2 X^5
        using PreparedPlaintext prepared = PreparedPlaintext.Of(parameters, factor), narrow = PreparedPlaintext.Of(parameters, factor, 1), foreign = PreparedPlaintext.Of(others, factor);
        Ciphertext ciphertext = Encryption.Encrypt(message, open);
        Assert.Equal(HomomorphicError.OtherParameters, Assert.Throws<HomomorphicException>(() => ciphertext.MultiplyPlain(foreign)).Error);
        Assert.Throws<ArgumentException>(() => ciphertext.MultiplyPlain(narrow)); // prepared for fewer moduli than there are
        for (int moduli = parameters.Basis.Count; moduli > 1; moduli--)
        {
            using (Ciphertext copy = ciphertext.Copy())
            {
                copy.MultiplyPlain(prepared);
                ciphertext.MultiplyPlain(factor);
                Assert.True(copy.C0.Cancels(ciphertext.C0, -1));
            }
            ciphertext.SubtractPlain(message);
            ciphertext.Negate();
            expected = [.. Multiply(expected, factor, T).Zip(message, (product, one) => (one + T - product) % T)];
            Assert.Equal(expected, Encryption.Decrypt(ciphertext, key));
            Ciphertext smaller = ciphertext.DropModulus();
            ciphertext.Dispose();
            ciphertext = smaller;
        }
        ciphertext.MultiplyPlain(narrow);
        Assert.Equal(Multiply(expected, factor, T), Encryption.Decrypt(ciphertext, key));
        Assert.Equal(HomomorphicError.Transparent, Assert.Throws<HomomorphicException>(() => PreparedPlaintext.Of(parameters, new ulong[Degree])).Error);
        using Ciphertext negative = ciphertext.Copy();
        negative.Negate();
        Assert.Equal(HomomorphicError.Transparent, Assert.Throws<HomomorphicException>(() => ciphertext.Add(negative)).Error);
        Assert.Equal(HomomorphicError.Transparent, Assert.Throws<HomomorphicException>(() => ciphertext.Subtract(ciphertext)).Error);
        Assert.Equal(Multiply(expected, factor, T), Encryption.Decrypt(ciphertext, key)); // a refusal changes nothing
        ciphertext.Dispose();
    }

    [Fact]
    public void Dropping_moduli_keeps_the_message_and_divides_the_noise()
    {
        const int Degree = 8192;
        const ulong T = 65537;
        RlweParameters parameters = Make(Degree, T);
        using SecretKey key = SecretKey.Generate(parameters);
        ulong[] message = Message(Degree, T, 6), factor = Message(Degree, T, 7);
        using SeededCiphertext seeded = Encryption.Encrypt(message, key);
        Ciphertext ciphertext = seeded.Expand();
        ciphertext.MultiplyPlain(factor);
        ulong[] expected = Multiply(message, factor, T);
        BigInteger noise = NoiseMeter.Measure(ciphertext, expected, key);
        Assert.True(noise > 1 << 20);
        for (int moduli = 4; moduli >= 1; moduli--)
        {
            Ciphertext smaller = ciphertext.DropModulus();
            ciphertext.Dispose();
            ciphertext = smaller;
            Assert.Equal(moduli, ciphertext.Basis.Count);
            Assert.Equal(expected, Encryption.Decrypt(ciphertext, key));
            // What rounding adds: 1/2 + n/2 at most by size, and the message's own rounding.
            Assert.True(NoiseMeter.Measure(ciphertext, expected, key) < noise + Degree);
            noise = NoiseMeter.Measure(ciphertext, expected, key);
        }
        Assert.True(noise < Degree);
        Assert.Equal(HomomorphicError.NoModulusLeft, Assert.Throws<HomomorphicException>(ciphertext.DropModulus).Error);
        ciphertext.Dispose();
    }

    [Fact]
    public void Every_encryption_is_another_and_says_nothing_to_other_keys()
    {
        RlweParameters parameters = Make(2048, 65537);
        using SecretKey key = SecretKey.Generate(parameters), stranger = SecretKey.Generate(parameters);
        ulong[] message = Message(2048, 65537, 8);
        using SeededCiphertext one = Encryption.Encrypt(message, key), two = Encryption.Encrypt(message, key);
        Assert.False(one.Seed.SequenceEqual(two.Seed));
        Assert.NotEqual(one.C0.Limb(0).ToArray(), two.C0.Limb(0).ToArray());
        using Ciphertext ciphertext = one.Expand();
        ulong[] other = Encryption.Decrypt(ciphertext, stranger);
        Assert.True(other.Where((m, i) => m == message[i]).Count() < 20);
    }

    [Fact]
    public void What_would_be_readable_or_meaningless_is_refused()
    {
        RingParameters ring = RingParameters.Standard(2048);
        Assert.Equal(HomomorphicError.PlaintextModulus, Assert.Throws<HomomorphicException>(() => RlweParameters.Create(ring, 1)).Error);
        Assert.Equal(HomomorphicError.PlaintextModulus, Assert.Throws<HomomorphicException>(() => RlweParameters.Create(ring, 1UL << 49)).Error);
        Assert.Equal(HomomorphicError.PlaintextModulus, Assert.Throws<HomomorphicException>(() => RlweParameters.Create(ring, ring.Basis.Moduli[0].Value)).Error);

        RlweParameters parameters = RlweParameters.Create(ring, 65537), same = RlweParameters.Create(ring, 65537);
        using SecretKey key = SecretKey.Generate(parameters), foreign = SecretKey.Generate(same);
        using SeededCiphertext seeded = Encryption.Encrypt(new ulong[2048], key);
        using Ciphertext ciphertext = seeded.Expand();
        Assert.Equal(HomomorphicError.Transparent, Assert.Throws<HomomorphicException>(() => ciphertext.MultiplyPlain(new ulong[2048])).Error);
        Assert.Equal(HomomorphicError.OtherParameters, Assert.Throws<HomomorphicException>(() => Encryption.Decrypt(ciphertext, foreign)).Error);
        Assert.Throws<ArgumentException>(() => Encryption.Encrypt(new ulong[2047], key));
        Assert.Throws<ArgumentException>(() => Encryption.Encrypt([], key));
        foreach (ulong outside in (ulong[])[65537, 1UL << 63, ulong.MaxValue])
        {
            ulong[] message = new ulong[2048];
            message[7] = outside;
            Assert.Throws<ArgumentException>(() => Encryption.Encrypt(message, key));
            Assert.Throws<ArgumentException>(() => ciphertext.AddPlain(message));
        }
    }

    private static RlweParameters Make(int degree, ulong t) => RlweParameters.Create(RingParameters.Standard(degree), t);

    private static ulong[] Message(int degree, ulong t, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, degree).Select(i => i switch { 0 => t - 1, 1 => t / 2, 2 => t / 2 + 1 < t ? t / 2 + 1 : 0, 3 => 0UL, _ => (ulong)random.NextInt64((long)t) })];
    }

    private static ulong[] Multiply(ulong[] a, ulong[] b, ulong t)
    {
        int n = a.Length;
        var sums = new long[n]; // each product is below 2^34: n of them fit
        for (int j = 0; j < n; j++)
        {
            for (int i = 0; b[j] != 0 && i < n; i++)
            {
                long product = (long)(a[i] * b[j] % t);
                if (i + j < n) sums[i + j] += product;
                else sums[i + j - n] -= product;
            }
        }
        return [.. sums.Select(sum => (ulong)((sum % (long)t + (long)t) % (long)t))];
    }
}
