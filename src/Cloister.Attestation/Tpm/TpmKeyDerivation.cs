using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Cloister.Attestation.Tpm;

/// <summary>How TPMs derive keys (TPM 2.0 Library part 1, 11.4.10).</summary>
internal static class TpmKeyDerivation
{
    /// <summary>KDFa (11.4.10.2): HMAC in counter mode over label and context.</summary>
    public static byte[] Kdfa(TpmAlgorithm hash, byte[] key, string label, ReadOnlySpan<byte> context, int bits)
    {
        var derived = new byte[bits / 8];
        for (int at = 0, counter = 1; at < derived.Length; counter++)
        {
            byte[] block = CryptographicOperations.HmacData(TpmHash.PlatformName(hash), key, (byte[])[.. BigEndian(counter), .. Encoding.ASCII.GetBytes(label), 0, .. context, .. BigEndian(bits)]);
            int take = Math.Min(block.Length, derived.Length - at);
            block.AsSpan(0, take).CopyTo(derived.AsSpan(at));
            at += take;
            CryptographicOperations.ZeroMemory(block);
        }
        return derived;
    }

    /// <summary>KDFe (11.4.10.3) for one digest's worth of bits: H(1 ‖ Z ‖ label ‖ x of the one ‖ x of the other).</summary>
    /// <param name="hash">The hash.</param>
    /// <param name="shared">Z, the agreed x coordinate.</param>
    /// <param name="label">The label, with its NUL.</param>
    /// <param name="ephemeralX">x of the ephemeral key.</param>
    /// <param name="keyX">x of the TPM's key.</param>
    public static byte[] Kdfe(TpmAlgorithm hash, byte[] shared, ReadOnlySpan<byte> label, byte[] ephemeralX, byte[] keyX)
    {
        byte[] input = [.. BigEndian(1), .. shared, .. label, .. ephemeralX, .. keyX];
        byte[] derived = TpmHash.Hash(hash, input);
        CryptographicOperations.ZeroMemory(input);
        return derived;
    }

    private static byte[] BigEndian(int value)
    {
        var bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }
}
