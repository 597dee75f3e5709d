using System.Security.Cryptography;

namespace Cloister.Sealing;

/// <summary>Splits a secret into shares that are all needed: random bytes whose XOR is the secret. Any smaller number of them tells nothing about it.</summary>
public static class XorSharing
{
    /// <summary>Splits a secret.</summary>
    /// <param name="secret">At least one byte; stays the caller's to zero.</param>
    /// <param name="shares">How many shares to make, at least 2.</param>
    /// <returns>The shares, each as long as the secret, which the caller zeroes after use.</returns>
    /// <exception cref="ArgumentException">Fewer than 2 shares, or an empty secret.</exception>
    public static byte[][] Split(ReadOnlySpan<byte> secret, int shares)
    {
        if (secret.IsEmpty)
            throw new ArgumentException("A secret has at least one byte.", nameof(secret));
        ArgumentOutOfRangeException.ThrowIfLessThan(shares, 2);
        byte[][] made = new byte[shares][];
        byte[] last = GC.AllocateArray<byte>(secret.Length, pinned: true);
        secret.CopyTo(last);
        for (int i = 0; i < shares - 1; i++)
        {
            made[i] = GC.AllocateArray<byte>(secret.Length, pinned: true);
            RandomNumberGenerator.Fill(made[i]);
            Add(last, made[i]);
        }
        made[^1] = last;
        return made;
    }

    /// <summary>Joins all shares. A missing or wrong one gives some other secret, which is not noticed here.</summary>
    /// <param name="shares">One or more, of equal length; the order does not matter.</param>
    /// <returns>The secret, which the caller zeroes after use.</returns>
    /// <exception cref="SealingException">No share, an empty one, or lengths that differ.</exception>
    public static byte[] Combine(params ReadOnlySpan<ReadOnlyMemory<byte>> shares)
    {
        if (shares.IsEmpty || shares[0].IsEmpty)
            throw new SealingException(SealingError.MalformedShare, "At least one share of at least one byte is needed.");
        byte[] secret = GC.AllocateArray<byte>(shares[0].Length, pinned: true);
        foreach (ReadOnlyMemory<byte> share in shares)
        {
            if (share.Length != secret.Length)
                throw new SealingException(SealingError.MalformedShare, "The shares differ in length: they are not of one secret.");
            Add(secret, share.Span);
        }
        return secret;
    }

    private static void Add(Span<byte> sum, ReadOnlySpan<byte> share)
    {
        for (int i = 0; i < sum.Length; i++)
            sum[i] ^= share[i];
    }
}
