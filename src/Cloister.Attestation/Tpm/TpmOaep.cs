using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace Cloister.Attestation.Tpm;

/// <summary>RSAES-OAEP (RFC 8017, 7.1.1) with a label, which the platform's own RSA does not take.</summary>
internal static class TpmOaep
{
    /// <summary>Encrypts a short message.</summary>
    /// <param name="key">An RSA key; its name's hash is used.</param>
    /// <param name="label">The label, with the NUL that TPMs end it with.</param>
    /// <param name="message">At most the modulus's size less two digests and two bytes.</param>
    public static byte[] Encrypt(TpmPublic key, ReadOnlySpan<byte> label, ReadOnlySpan<byte> message)
    {
        TpmAlgorithm hash = key.NameAlgorithm;
        int size = TpmHash.SizeOf(hash), length = key.First.Length;
        if (message.Length > length - 2 * size - 2) throw new ArgumentException("The key is too short for this message.", nameof(key));
        var block = new byte[length];
        Span<byte> seed = block.AsSpan(1, size), data = block.AsSpan(1 + size);
        RandomNumberGenerator.Fill(seed);
        TpmHash.Hash(hash, label, data);
        data[^(message.Length + 1)] = 1;
        message.CopyTo(data[^message.Length..]);
        Mask(hash, seed, data);
        Mask(hash, data, seed);
        var encrypted = BigInteger.ModPow(new BigInteger(block, true, true), key.Exponent, new BigInteger(key.First.Span, true, true));
        CryptographicOperations.ZeroMemory(block);
        return TpmSigner.Padded(encrypted.ToByteArray(true, true), length);
    }

    /// <summary>XORs MGF1 of a seed onto data (RFC 8017, B.2.1).</summary>
    private static void Mask(TpmAlgorithm hash, ReadOnlySpan<byte> seed, Span<byte> data)
    {
        var input = new byte[seed.Length + sizeof(uint)];
        seed.CopyTo(input);
        for (int at = 0, counter = 0; at < data.Length; counter++)
        {
            BinaryPrimitives.WriteInt32BigEndian(input.AsSpan(seed.Length), counter);
            byte[] mask = TpmHash.Hash(hash, input);
            for (int i = 0; i < mask.Length && at < data.Length; i++)
                data[at++] ^= mask[i];
            CryptographicOperations.ZeroMemory(mask);
        }
        CryptographicOperations.ZeroMemory(input);
    }
}
