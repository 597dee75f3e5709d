using System.Numerics;
using System.Text.Json;
using Cloister.Tests;

namespace Cloister.Sealing.Tests.SecretSharing;

public sealed class SecretSharingTests
{
    private static readonly byte[] Secret = [.. Enumerable.Range(0, 32).Select(i => (byte)(i * 7 + 3))];

    [SharedDataFact]
    public void Shares_of_marblerun_give_its_keys()
    {
        using JsonDocument vectors = JsonDocument.Parse(File.ReadAllBytes(TestData.Path("marblerun/vectors.json")));
        int compared = 0;
        foreach (JsonElement vector in vectors.RootElement.GetProperty("shamir").EnumerateArray())
        {
            byte[][] shares = [.. vector.GetProperty("sharesHex").EnumerateArray().Select(share => Convert.FromHexString(share.GetString()!))];
            int threshold = vector.GetProperty("k").GetInt32();
            string key = vector.GetProperty("keyHex").GetString()!;
            foreach (byte[][] subset in Subsets(shares).Where(subset => subset.Length >= threshold))
                Assert.Equal(key, Convert.ToHexStringLower(Join(subset)));
            if (vector.GetProperty("combineFirstKminus1_givesHex_notKey").GetString() is { Length: > 0 } fewer)
                Assert.Equal(fewer, Convert.ToHexStringLower(Join(shares[..(threshold - 1)])));
            shares[0][0] ^= 1;
            Assert.Equal(vector.GetProperty("combineFirstK_withShare0Byte0Flipped_givesHex").GetString(), Convert.ToHexStringLower(Join(shares[..threshold])));
            compared++;
        }
        Assert.True(compared >= 4);
    }

    [Fact]
    public void Any_threshold_of_the_shares_gives_the_secret_and_fewer_another()
    {
        foreach ((int shares, int threshold) in new[] { (2, 2), (3, 2), (5, 3), (6, 6), (7, 4) })
        {
            byte[][] made = ShamirSharing.Split(Secret, shares, threshold);
            Assert.Equal(shares, made.Select(share => share[^1]).Distinct().Count());
            foreach (byte[][] subset in Subsets(made).Where(subset => subset.Length >= 2))
                Assert.Equal(subset.Length >= threshold, Join(subset).AsSpan().SequenceEqual(Secret));
        }
    }

    [Fact]
    public void The_most_shares_are_255()
    {
        byte[][] made = ShamirSharing.Split(Secret, 255, 255);
        Assert.Equal(Enumerable.Range(1, 255), made.Select(share => (int)share[^1]).Order());
        Assert.Equal(Secret, Join(made));
        Assert.NotEqual(Secret, Join(made[1..]));
    }

    [Fact]
    public void Every_wrong_byte_of_a_share_changes_the_secret()
    {
        byte[][] made = ShamirSharing.Split(Secret, 3, 3);
        for (int at = 0; at < made[0].Length; at++)
        {
            byte[] wrong = [.. made[0]];
            wrong[at] ^= 0x5a;
            if (wrong[^1] == 0 || wrong[^1] == made[1][^1] || wrong[^1] == made[2][^1])
                continue;
            Assert.NotEqual(Secret, Join([wrong, made[1], made[2]]));
        }
    }

    [Fact]
    public void Shares_that_do_not_fit_together_are_refused()
    {
        byte[][] made = ShamirSharing.Split(Secret, 3, 2);
        Assert.Equal(SealingError.DuplicateShare, Refused(made[0], made[1], made[0]));
        byte[] sameCoordinate = [.. made[1]];
        sameCoordinate[^1] = made[0][^1];
        Assert.Equal(SealingError.DuplicateShare, Refused(made[0], sameCoordinate));
        byte[] atZero = [.. made[1]];
        atZero[^1] = 0;
        Assert.Equal(SealingError.MalformedShare, Refused(made[0], atZero));
        Assert.Equal(SealingError.MalformedShare, Refused(made[0], made[1][1..]));
        Assert.Equal(SealingError.MalformedShare, Refused(made[0]));
        Assert.Equal(SealingError.MalformedShare, Refused());
        Assert.Equal(SealingError.MalformedShare, Refused([1], [2]));
        Assert.Equal(SealingError.MalformedShare, Assert.Throws<SealingException>(() => XorSharing.Combine()).Error);
        Assert.Equal(SealingError.MalformedShare, Assert.Throws<SealingException>(() => XorSharing.Combine(new byte[2], new byte[3])).Error);
    }

    [Theory, InlineData(2, 1), InlineData(1, 1), InlineData(2, 3), InlineData(256, 2), InlineData(-1, -1)]
    public void Impossible_numbers_are_a_callers_mistake(int shares, int threshold) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ShamirSharing.Split(Secret, shares, threshold));

    [Fact]
    public void Nothing_cannot_be_split()
    {
        Assert.Throws<ArgumentException>(() => ShamirSharing.Split([], 2, 2));
        Assert.Throws<ArgumentException>(() => XorSharing.Split([], 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => XorSharing.Split(Secret, 1));
    }

    [Fact]
    public void All_xor_shares_are_needed()
    {
        foreach (int shares in new[] { 2, 3, 6 })
        {
            byte[][] made = XorSharing.Split(Secret, shares);
            foreach (byte[][] subset in Subsets(made))
                Assert.Equal(subset.Length == shares, XorSharing.Combine(Parts(subset)).AsSpan().SequenceEqual(Secret));
        }
    }

    [Fact]
    public void The_field_is_the_one_of_aes()
    {
        // FIPS 197, section 4.2: {57} x {83} = {c1} and {57} x {13} = {fe}.
        Assert.Equal(0xc1, Gf256.Multiply(0x57, 0x83));
        Assert.Equal(0xfe, Gf256.Multiply(0x57, 0x13));
        Assert.Equal(0, Gf256.Invert(0));
        for (int a = 0; a < 256; a++)
        {
            if (a != 0)
                Assert.Equal(1, Gf256.Multiply((byte)a, Gf256.Invert((byte)a)));
            for (int b = 0; b < 256; b++)
                Assert.Equal(Slowly(a, b), Gf256.Multiply((byte)a, (byte)b));
        }
    }

    [Fact]
    public void Mutated_shares_are_refused_or_give_a_secret()
    {
        byte[] valid = [.. ShamirSharing.Split(Secret, 3, 3).SelectMany(share => share)];
        foreach (byte[] mutated in Mutations.Of(valid, 1, 5000))
            ShamirSharing.Fuzz(mutated);
    }

    // Polynomials over GF(2), multiplied and then divided by x^8 + x^4 + x^3 + x + 1.
    private static int Slowly(int a, int b)
    {
        int product = 0;
        for (int bit = 0; bit < 8; bit++)
            product ^= (b >> bit & 1) == 1 ? a << bit : 0;
        while (product > 0xff)
            product ^= 0x11b << (BitOperations.Log2((uint)product) - 8);
        return product;
    }

    private static IEnumerable<byte[][]> Subsets(byte[][] shares) =>
        Enumerable.Range(1, (1 << shares.Length) - 1).Select(chosen => shares.Where((_, i) => (chosen >> i & 1) == 1).ToArray());

    private static ReadOnlyMemory<byte>[] Parts(byte[][] shares) => [.. shares.Select(share => new ReadOnlyMemory<byte>(share))];

    private static byte[] Join(byte[][] shares) => ShamirSharing.Combine(Parts(shares));

    private static SealingError Refused(params byte[][] shares) => Assert.Throws<SealingException>(() => Join(shares)).Error;
}
