using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;
using Cloister.Homomorphic.Schemes;
using FsCheck;
using FsCheck.Fluent;

namespace Cloister.Homomorphic.Tests.Schemes;

public sealed class SlotEncoderTests
{
    private const ulong T = 65537;

    private static readonly RlweParameters Parameters = RlweParameters.Create(RingParameters.Standard(4096), T);

    [Fact]
    public void Numbers_come_back() =>
        Prop.ForAll<ulong[]>(any =>
        {
            var encoder = new SlotEncoder(Parameters);
            ulong[] numbers = [.. any.Take(encoder.Count).Select(number => number % T)];
            return encoder.Decode(encoder.Encode(numbers)).SequenceEqual([.. numbers, .. new ulong[encoder.Count - numbers.Length]]);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_slot_is_the_message_at_a_power_of_the_least_root()
    {
        var encoder = new SlotEncoder(Parameters);
        var random = new Random(1);
        ulong n = (ulong)encoder.Count, psi = NttPrimes.LeastRoot(2 * n, T);
        ulong[] message = [.. Enumerable.Range(0, encoder.Count).Select(_ => (ulong)random.NextInt64((long)T))], numbers = encoder.Decode(message);
        foreach (int slot in (int[])[0, 1, 2, 777, encoder.Count / 2 - 1])
        {
            ulong power = NttPrimes.Power(3, (ulong)slot, 2 * n);
            Assert.Equal(At(message, NttPrimes.Power(psi, power, T)), numbers[slot]);
            Assert.Equal(At(message, NttPrimes.Power(psi, 2 * n - power, T)), numbers[slot + encoder.Count / 2]);
        }
    }

    [Fact]
    public void Encrypted_numbers_add_and_multiply_place_by_place()
    {
        var encoder = new SlotEncoder(Parameters);
        using SecretKey key = SecretKey.Generate(Parameters);
        var random = new Random(2);
        ulong[] a = [.. Enumerable.Range(0, encoder.Count).Select(_ => (ulong)random.NextInt64((long)T))], b = [.. a.Reverse()], c = [.. a.Select(x => x * 5 % T)];
        using SeededCiphertext seeded = Encryption.Encrypt(encoder.Encode(a), key);
        using Ciphertext ciphertext = seeded.Expand();
        ciphertext.MultiplyPlain(encoder.Encode(b));
        ciphertext.AddPlain(encoder.Encode(c));
        Assert.Equal(a.Select((x, i) => (x * b[i] + c[i]) % T), encoder.Decode(Encryption.Decrypt(ciphertext, key)));
    }

    [Fact]
    public void A_modulus_without_slots_and_numbers_outside_are_refused()
    {
        RingParameters ring = RingParameters.Standard(4096);
        Assert.Equal(HomomorphicError.ModulusNotPrime, Assert.Throws<HomomorphicException>(() => new SlotEncoder(RlweParameters.Create(ring, 1 << 20))).Error);
        Assert.Equal(HomomorphicError.ModulusHasNoTransform, Assert.Throws<HomomorphicException>(() => new SlotEncoder(RlweParameters.Create(ring, 1000003))).Error);
        var encoder = new SlotEncoder(Parameters);
        Assert.Throws<ArgumentException>(() => encoder.Encode([T]));
        Assert.Throws<ArgumentException>(() => encoder.Encode(new ulong[4097]));
        Assert.Throws<ArgumentException>(() => encoder.Decode(new ulong[4095]));
        Assert.Throws<ArgumentException>(() => encoder.Decode([ulong.MaxValue, .. new ulong[4095]]));
    }

    private static ulong At(ulong[] message, ulong point)
    {
        ulong sum = 0;
        for (int i = message.Length - 1; i >= 0; i--) sum = (sum * point + message[i]) % T;
        return sum;
    }
}
