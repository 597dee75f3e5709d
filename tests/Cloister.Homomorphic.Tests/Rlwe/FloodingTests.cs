using System.Numerics;
using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Tests.Rlwe;

public sealed class FloodingTests
{
    private static readonly RlweParameters Parameters = RlweParameters.Create(RingParameters.Create(4096, (ReadOnlySpan<int>)[45, 45, 16]), 65537, specialModuli: 1);

    [Theory, InlineData(40), InlineData(50), InlineData(71), InlineData(79)]
    public void The_flood_is_uniform_at_the_carried_coefficients_and_nowhere_else(int bits)
    {
        using var c0 = new RnsPolynomial(Parameters.Basis);
        using var c1 = new RnsPolynomial(Parameters.Basis);
        using var scratch = new RnsPolynomial(Parameters.Basis);
        using SeedExpander stream = SeedExpander.Fresh();
        Flooding.Flood(stream, c0, c1, bits, 3, 2, 2000, scratch);
        BigInteger[] noise = RnsIntegers.Compose(c0), errors = RnsIntegers.Compose(c1);
        BigInteger limit = BigInteger.One << bits;
        double sum = 0, squares = 0;
        for (int i = 0; i < noise.Length; i++)
        {
            if (i < 3 || i % 2 == 0 || i > 3 + 2 * 1999)
            {
                Assert.Equal(BigInteger.Zero, noise[i]);
                continue;
            }
            Assert.True(noise[i] >= -limit && noise[i] < limit);
            double part = (double)noise[i] / (double)limit;
            sum += part;
            squares += part * part;
        }
        // Five standard deviations of 2000 numbers: of the mean sqrt(1/3), of the mean square sqrt(4/45).
        Assert.InRange(sum / 2000, -0.065, 0.065);
        Assert.InRange(squares / 2000, 1.0 / 3 - 0.034, 1.0 / 3 + 0.034);
        Assert.All(errors, error => Assert.True(BigInteger.Abs(error) <= Samplers.BinomialBits));
        Assert.Contains(errors, error => !error.IsZero);
    }

    [Fact]
    public void A_mask_changes_both_parts_and_not_the_message()
    {
        using SecretKey key = SecretKey.Generate(Parameters);
        using PublicKey open = PublicKey.Of(key);
        ulong[] message = [.. Enumerable.Range(0, 4096).Select(i => (ulong)i * 16 % 65537)];
        using SeededCiphertext seeded = Encryption.Encrypt(message, key);
        using Ciphertext ciphertext = seeded.Expand(), before = seeded.Expand();
        using var scratch = new RnsPolynomial(Parameters.Basis);
        using SeedExpander stream = SeedExpander.Fresh();
        Flooding.Mask(open, stream, ciphertext.C0, ciphertext.C1, scratch);
        Assert.Equal(message, Encryption.Decrypt(ciphertext, key));
        Assert.NotEqual(before.C1.Limb(0).ToArray(), ciphertext.C1.Limb(0).ToArray());
        // e + e u: at most 21 (n + 1), and some way towards it.
        Assert.InRange((double)NoiseMeter.Measure(ciphertext, message, key), 100, Samplers.BinomialBits * 4097);
        Assert.Throws<ArgumentException>(() => Flooding.Flood(stream, ciphertext.C0, ciphertext.C1, 60, 0, 1, 10, scratch));
    }

    [Fact]
    public void What_does_not_carry_is_hidden()
    {
        using var c0 = new RnsPolynomial(Parameters.Basis);
        using var scratch = new RnsPolynomial(Parameters.Basis);
        using SeedExpander stream = SeedExpander.Fresh();
        c0.Limb(0).Fill(5);
        c0.Limb(1).Fill(5);
        Flooding.HideOthers(stream, c0, 0, 64, 64, scratch);
        for (int i = 0; i < 4096; i += 64) Assert.Equal(5, c0.Limb(0)[i]);
        Assert.True(Enumerable.Range(0, 4096).Count(i => c0.Limb(0)[i] == 5) <= 65);
        Assert.Throws<ArgumentException>(() => Flooding.HideOthers(stream, c0, 0, 64, 65, scratch));
    }
}
