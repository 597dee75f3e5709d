using System.Security.Cryptography;

namespace Cloister.Sealing;

/// <summary>
/// Shamir's secret sharing over GF(2^8), one polynomial a byte: any <c>threshold</c> of the shares give the secret, fewer tell nothing about it.
/// A share is one byte longer than the secret; its last byte is its x coordinate, 1 to 255, as in HashiCorp's implementation, whose shares these are.
/// </summary>
/// <remarks>
/// Reference: A. Shamir, How to Share a Secret (1979). A wrong share is not noticed: the result is then another secret, so the caller has to be able to tell.
/// </remarks>
public static class ShamirSharing
{
    /// <summary>The most shares that one secret can have.</summary>
    public const int MaxShares = 255;

    /// <summary>Splits a secret.</summary>
    /// <param name="secret">At least one byte; stays the caller's to zero.</param>
    /// <param name="shares">How many shares to make: <paramref name="threshold"/> to 255.</param>
    /// <param name="threshold">How many are needed: 2 to 255.</param>
    /// <returns>The shares, which the caller zeroes after use. Their x coordinates are random.</returns>
    /// <exception cref="ArgumentException">A number is out of range, or the secret is empty.</exception>
    public static byte[][] Split(ReadOnlySpan<byte> secret, int shares, int threshold)
    {
        if (secret.IsEmpty)
            throw new ArgumentException("A secret has at least one byte.", nameof(secret));
        ArgumentOutOfRangeException.ThrowIfLessThan(threshold, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(shares, threshold);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(shares, MaxShares);
        byte[] coordinates = new byte[MaxShares];
        for (int i = 0; i < coordinates.Length; i++)
            coordinates[i] = (byte)(i + 1);
        RandomNumberGenerator.Shuffle<byte>(coordinates);

        byte[][] made = new byte[shares][];
        for (int i = 0; i < shares; i++)
        {
            made[i] = GC.AllocateArray<byte>(secret.Length + 1, pinned: true);
            made[i][^1] = coordinates[i];
        }
        using SecretBytes polynomial = SecretBytes.Empty(threshold);
        Span<byte> coefficients = polynomial.Writable;
        for (int at = 0; at < secret.Length; at++)
        {
            coefficients[0] = secret[at];
            RandomNumberGenerator.Fill(coefficients[1..]);
            foreach (byte[] share in made)
                share[at] = Evaluate(coefficients, share[^1]);
        }
        return made;
    }

    /// <summary>Joins shares. At least the threshold of them is needed; more do no harm. Too few, or a wrong one, give some other secret.</summary>
    /// <param name="shares">Two or more, of equal length; the order does not matter.</param>
    /// <returns>The secret, which the caller zeroes after use.</returns>
    /// <exception cref="SealingException">Fewer than two shares, lengths that differ, or an x coordinate that is 0 or comes twice.</exception>
    public static byte[] Combine(params ReadOnlySpan<ReadOnlyMemory<byte>> shares)
    {
        Check(shares);
        byte[] secret = GC.AllocateArray<byte>(shares[0].Length - 1, pinned: true);
        for (int i = 0; i < shares.Length; i++)
        {
            ReadOnlySpan<byte> share = shares[i].Span;
            byte weight = Weight(shares, i);
            for (int at = 0; at < secret.Length; at++)
                secret[at] ^= Gf256.Multiply(weight, share[at]);
        }
        return secret;
    }

    /// <summary>Fuzz target: three shares cut from the bytes are refused, or give a secret of their length.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> data)
    {
        byte[] bytes = data.ToArray();
        int part = bytes.Length / 3;
        try
        {
            if (Combine(bytes.AsMemory(0, part), bytes.AsMemory(part, part), bytes.AsMemory(2 * part)).Length != part - 1)
                throw new InvalidOperationException("A secret has another length than its shares.");
        }
        catch (SealingException refused) when (refused.Error is SealingError.MalformedShare or SealingError.DuplicateShare)
        {
            return;
        }
    }

    // Horner's rule.
    private static byte Evaluate(ReadOnlySpan<byte> coefficients, byte x)
    {
        byte value = 0;
        for (int i = coefficients.Length - 1; i >= 0; i--)
            value = (byte)(Gf256.Multiply(value, x) ^ coefficients[i]);
        return value;
    }

    // Lagrange's basis polynomial of share i at 0; addition and subtraction are XOR.
    private static byte Weight(ReadOnlySpan<ReadOnlyMemory<byte>> shares, int i)
    {
        byte x = shares[i].Span[^1], numerator = 1, denominator = 1;
        for (int j = 0; j < shares.Length; j++)
        {
            if (j == i)
                continue;
            byte other = shares[j].Span[^1];
            numerator = Gf256.Multiply(numerator, other);
            denominator = Gf256.Multiply(denominator, (byte)(x ^ other));
        }
        return Gf256.Multiply(numerator, Gf256.Invert(denominator));
    }

    private static void Check(ReadOnlySpan<ReadOnlyMemory<byte>> shares)
    {
        if (shares.Length < 2)
            throw new SealingException(SealingError.MalformedShare, "At least two shares are needed.");
        Span<bool> seen = stackalloc bool[MaxShares + 1];
        foreach (ReadOnlyMemory<byte> share in shares)
        {
            if (share.Length < 2 || share.Length != shares[0].Length)
                throw new SealingException(SealingError.MalformedShare, "The shares are too short or differ in length: they are not of one secret.");
            byte x = share.Span[^1];
            if (x == 0)
                throw new SealingException(SealingError.MalformedShare, "A share's last byte, its x coordinate, is 1 to 255.");
            if (seen[x])
                throw new SealingException(SealingError.DuplicateShare, "Two shares have the same x coordinate: the same share came twice, or they are not of one secret.");
            seen[x] = true;
        }
    }
}
