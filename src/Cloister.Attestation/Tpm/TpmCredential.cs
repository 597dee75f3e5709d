using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace Cloister.Attestation.Tpm;

/// <summary>
/// A secret that only the TPM of one endorsement key gives up, and only if it also holds the key of one name: what
/// TPM2_MakeCredential makes (TPM 2.0 Library part 1, 24), computed without a TPM.
/// </summary>
/// <param name="Blob">TPM2B_ID_OBJECT, for TPM2_ActivateCredential's credentialBlob.</param>
/// <param name="EncryptedSecret">TPM2B_ENCRYPTED_SECRET, for its secret.</param>
public sealed record TpmCredential(ReadOnlyMemory<byte> Blob, ReadOnlyMemory<byte> EncryptedSecret)
{
    private static ReadOnlySpan<byte> Identity => "IDENTITY\0"u8;

    /// <summary>Wraps a secret.</summary>
    /// <param name="endorsementKey">The endorsement key's public area, known to be a TPM's by its certificate.</param>
    /// <param name="name">The name of the key that must be in the same TPM.</param>
    /// <param name="secret">At most as many bytes as the endorsement key's name hash has.</param>
    /// <exception cref="ArgumentException">The key or the secret cannot be used.</exception>
    public static TpmCredential Make(TpmPublic endorsementKey, ReadOnlySpan<byte> name, ReadOnlySpan<byte> secret)
    {
        int size = TpmHash.SizeOf(endorsementKey.NameAlgorithm);
        if (secret.Length == 0 || secret.Length > size) throw new ArgumentException($"A secret has 1 to {size} bytes.", nameof(secret));
        if (endorsementKey.Symmetric != TpmAlgorithm.Aes) throw new ArgumentException("The endorsement key protects nothing: it has no symmetric algorithm.", nameof(endorsementKey));
        return endorsementKey.Type == TpmAlgorithm.Rsa ? MakeRsa(endorsementKey, name, secret) : MakeEcc(endorsementKey, name, secret);
    }

    /// <summary>The file that tpm2-tools' <c>tpm2_activatecredential -i</c> reads.</summary>
    public byte[] ToToolsFile()
    {
        var file = new byte[8 + Blob.Length + EncryptedSecret.Length];
        BinaryPrimitives.WriteUInt32BigEndian(file, 0xBADCC0DE);
        BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan(4), 1);
        Blob.CopyTo(file.AsMemory(8));
        EncryptedSecret.CopyTo(file.AsMemory(8 + Blob.Length));
        return file;
    }

    private static TpmCredential MakeRsa(TpmPublic key, ReadOnlySpan<byte> name, ReadOnlySpan<byte> secret)
    {
        byte[] seed = RandomNumberGenerator.GetBytes(TpmHash.SizeOf(key.NameAlgorithm));
        try
        {
            return Wrap(key, name, secret, seed, Sized(EncryptOaep(key, seed)));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(seed);
        }
    }

    private static TpmCredential MakeEcc(TpmPublic key, ReadOnlySpan<byte> name, ReadOnlySpan<byte> secret)
    {
        int size = key.CoordinateSize;
        byte[] x = TpmSigner.Padded(key.First.Span, size), y = TpmSigner.Padded(key.Second.Span, size);
        using var ephemeral = ECDiffieHellman.Create(TpmSigner.CurveOf(key.Curve));
        ECParameters mine = ephemeral.ExportParameters(false);
        byte[] shared = Agree(ephemeral, key.Curve, x, y), seed = [];
        try
        {
            seed = Kdfe(key.NameAlgorithm, shared, mine.Q.X!, x);
            return Wrap(key, name, secret, seed, Sized([.. Sized(mine.Q.X!), .. Sized(mine.Q.Y!)]));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(shared);
            CryptographicOperations.ZeroMemory(seed);
        }
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
            throw new ArgumentException("The endorsement key is not a point on its curve.", nameof(x), offCurve);
        }
    }

    /// <summary>Encrypts the secret for the name and authenticates both (part 1, 24.4 and 24.5).</summary>
    private static TpmCredential Wrap(TpmPublic key, ReadOnlySpan<byte> name, ReadOnlySpan<byte> secret, byte[] seed, byte[] encryptedSeed)
    {
        TpmAlgorithm hash = key.NameAlgorithm;
        byte[] storage = Kdfa(hash, seed, "STORAGE", name, key.SymmetricBits), integrity = Kdfa(hash, seed, "INTEGRITY", [], 8 * TpmHash.SizeOf(hash)), plain = Sized(secret);
        try
        {
            using var aes = Aes.Create();
            aes.Key = storage;
            byte[] padded = new byte[(plain.Length + 15) / 16 * 16];
            plain.CopyTo(padded, 0);
            byte[] encrypted = aes.EncryptCfb(padded, new byte[16], PaddingMode.None, 128)[..plain.Length];
            CryptographicOperations.ZeroMemory(padded);
            byte[] mac = CryptographicOperations.HmacData(TpmHash.PlatformName(hash), integrity, (byte[])[.. encrypted, .. name]);
            return new TpmCredential(Sized([.. Sized(mac), .. encrypted]), encryptedSeed);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(storage);
            CryptographicOperations.ZeroMemory(integrity);
            CryptographicOperations.ZeroMemory(plain);
        }
    }

    /// <summary>RSAES-OAEP (RFC 8017, 7.1.1) with the label that the platform's own RSA does not take.</summary>
    private static byte[] EncryptOaep(TpmPublic key, byte[] message)
    {
        TpmAlgorithm hash = key.NameAlgorithm;
        int size = TpmHash.SizeOf(hash), length = key.First.Length;
        var block = new byte[length];
        Span<byte> seed = block.AsSpan(1, size), data = block.AsSpan(1 + size);
        RandomNumberGenerator.Fill(seed);
        TpmHash.Hash(hash, Identity, data);
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
        }
        CryptographicOperations.ZeroMemory(input);
    }

    /// <summary>KDFa (part 1, 11.4.10.2): HMAC in counter mode over label and context.</summary>
    private static byte[] Kdfa(TpmAlgorithm hash, byte[] key, string label, ReadOnlySpan<byte> context, int bits)
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

    /// <summary>KDFe (part 1, 11.4.10.3) for one digest's worth of bits: H(1 ‖ Z ‖ "IDENTITY" ‖ 0 ‖ x of the one ‖ x of the other).</summary>
    private static byte[] Kdfe(TpmAlgorithm hash, byte[] shared, byte[] ephemeralX, byte[] keyX)
    {
        byte[] input = [.. BigEndian(1), .. shared, .. Identity, .. ephemeralX, .. keyX];
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

    private static byte[] Sized(ReadOnlySpan<byte> content)
    {
        var sized = new byte[sizeof(ushort) + content.Length];
        BinaryPrimitives.WriteUInt16BigEndian(sized, (ushort)content.Length);
        content.CopyTo(sized.AsSpan(sizeof(ushort)));
        return sized;
    }
}
