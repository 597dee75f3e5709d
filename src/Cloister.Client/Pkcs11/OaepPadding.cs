using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Cloister.Client.Pkcs11;

/// <summary>
/// Takes OAEP padding off (RFC 8017 section 7.1.2, step 3; empty label, MGF1 with the same hash), for tokens that only do the
/// exponentiation. Every fault is found in the same way, after the same work.
/// </summary>
internal static class OaepPadding
{
    /// <exception cref="CryptographicException">The padding is not one: the ciphertext is another key's, or was changed.</exception>
    public static byte[] Remove(ReadOnlySpan<byte> message, int keyBytes, HashAlgorithmName hash)
    {
        byte[] labelHash = CryptographicOperations.HashData(hash, []);
        int size = labelHash.Length;
        if (message.Length > keyBytes || keyBytes < (2 * size) + 2)
            throw new CryptographicException("The encrypted data is not of this key's length.");
        var block = new byte[keyBytes];
        message.CopyTo(block.AsSpan(keyBytes - message.Length));
        Span<byte> seed = block.AsSpan(1, size), data = block.AsSpan(1 + size);
        try
        {
            Mask(seed, data, hash);
            Mask(data, seed, hash);
            bool valid = (block[0] == 0) & CryptographicOperations.FixedTimeEquals(data[..size], labelHash);
            int start = -1;
            bool broken = false;
            // The whole block is read whatever is in it.
            for (int i = size; i < data.Length; i++)
            {
                bool one = data[i] == 1, zero = data[i] == 0, found = start >= 0;
                broken |= !found & !one & !zero;
                start = !found & one & !broken ? i + 1 : start;
            }
            if (!valid | broken | start < 0)
                throw new CryptographicException("The data was not encrypted to this key, or was changed.");
            return data[start..].ToArray();
        }
        finally
        {
            CryptographicOperations.ZeroMemory(block);
        }
    }

    /// <summary>XORs MGF1(<paramref name="from"/>) into <paramref name="into"/> (RFC 8017 appendix B.2.1).</summary>
    private static void Mask(Span<byte> into, ReadOnlySpan<byte> from, HashAlgorithmName hash)
    {
        byte[] input = [.. from, 0, 0, 0, 0];
        for (int at = 0, counter = 0; at < into.Length; counter++)
        {
            BinaryPrimitives.WriteInt32BigEndian(input.AsSpan(from.Length), counter);
            byte[] mask = CryptographicOperations.HashData(hash, input);
            for (int i = 0; i < mask.Length && at < into.Length; i++, at++)
                into[at] ^= mask[i];
            CryptographicOperations.ZeroMemory(mask);
        }
        CryptographicOperations.ZeroMemory(input);
    }
}
