using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Cloister.Attestation.Tpm;

/// <summary>
/// What only the TPM of one storage or endorsement key opens: a fresh seed encrypted to the key under a label, and data encrypted and
/// authenticated under the seed for one name (TPM 2.0 Library part 1, 23.3, 24.4 and B.10.3, C.6). Credentials and imported objects are both of this form.
/// </summary>
internal static class TpmProtection
{
    /// <summary>Protects data.</summary>
    /// <param name="key">The key whose TPM is to open it.</param>
    /// <param name="label">What it is for, with a NUL at its end.</param>
    /// <param name="name">The name that it belongs to.</param>
    /// <param name="plain">The data; stay the caller's to zero.</param>
    /// <returns>TPM2B integrity with the encrypted data behind it, and the content of TPM2B_ENCRYPTED_SECRET.</returns>
    /// <exception cref="ArgumentException">The key protects nothing, or is no point on its curve.</exception>
    public static (byte[] Protected, byte[] EncryptedSeed) Protect(TpmPublic key, ReadOnlySpan<byte> label, ReadOnlySpan<byte> name, ReadOnlySpan<byte> plain)
    {
        if (key.Symmetric != TpmAlgorithm.Aes) throw new ArgumentException("The key protects nothing: it has no symmetric algorithm.", nameof(key));
        (byte[] seed, byte[] encryptedSeed) = key.Type == TpmAlgorithm.Rsa ? ShareRsa(key, label) : ShareEcc(key, label);
        try
        {
            return (Wrap(key, name, plain, seed), encryptedSeed);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(seed);
        }
    }

    /// <summary>A TPM2B.</summary>
    public static byte[] Sized(ReadOnlySpan<byte> content)
    {
        var sized = new byte[sizeof(ushort) + content.Length];
        BinaryPrimitives.WriteUInt16BigEndian(sized, (ushort)content.Length);
        content.CopyTo(sized.AsSpan(sizeof(ushort)));
        return sized;
    }

    private static (byte[] Seed, byte[] Encrypted) ShareRsa(TpmPublic key, ReadOnlySpan<byte> label)
    {
        byte[] seed = RandomNumberGenerator.GetBytes(TpmHash.SizeOf(key.NameAlgorithm));
        return (seed, TpmOaep.Encrypt(key, label, seed));
    }

    private static (byte[] Seed, byte[] Encrypted) ShareEcc(TpmPublic key, ReadOnlySpan<byte> label)
    {
        int size = key.CoordinateSize;
        byte[] x = TpmSigner.Padded(key.First.Span, size), y = TpmSigner.Padded(key.Second.Span, size);
        using var ephemeral = ECDiffieHellman.Create(TpmSigner.CurveOf(key.Curve));
        ECParameters mine = ephemeral.ExportParameters(false);
        byte[] shared = Agree(ephemeral, key.Curve, x, y);
        byte[] seed = TpmKeyDerivation.Kdfe(key.NameAlgorithm, shared, label, mine.Q.X!, x);
        CryptographicOperations.ZeroMemory(shared);
        return (seed, [.. Sized(mine.Q.X!), .. Sized(mine.Q.Y!)]);
    }

    private static byte[] Agree(ECDiffieHellman ephemeral, TpmCurve curve, byte[] x, byte[] y)
    {
        try
        {
            using var peer = ECDiffieHellman.Create(new ECParameters { Curve = TpmSigner.CurveOf(curve), Q = new ECPoint { X = x, Y = y } });
            using ECDiffieHellmanPublicKey publicKey = peer.PublicKey;
            return ephemeral.DeriveRawSecretAgreement(publicKey);
        }
        catch (Exception offCurve) when (offCurve is CryptographicException or PlatformNotSupportedException)
        {
            throw new ArgumentException("The key is not a point on its curve.", nameof(x), offCurve);
        }
    }

    private static byte[] Wrap(TpmPublic key, ReadOnlySpan<byte> name, ReadOnlySpan<byte> plain, byte[] seed)
    {
        TpmAlgorithm hash = key.NameAlgorithm;
        byte[] storage = TpmKeyDerivation.Kdfa(hash, seed, "STORAGE", name, key.SymmetricBits), integrity = TpmKeyDerivation.Kdfa(hash, seed, "INTEGRITY", [], 8 * TpmHash.SizeOf(hash));
        byte[] padded = new byte[(plain.Length + 15) / 16 * 16];
        try
        {
            using var aes = Aes.Create();
            aes.Key = storage;
            plain.CopyTo(padded);
            byte[] encrypted = aes.EncryptCfb(padded, new byte[16], PaddingMode.None, 128)[..plain.Length];
            byte[] mac = CryptographicOperations.HmacData(TpmHash.PlatformName(hash), integrity, (byte[])[.. encrypted, .. name]);
            return [.. Sized(mac), .. encrypted];
        }
        finally
        {
            CryptographicOperations.ZeroMemory(storage);
            CryptographicOperations.ZeroMemory(integrity);
            CryptographicOperations.ZeroMemory(padded);
        }
    }
}
