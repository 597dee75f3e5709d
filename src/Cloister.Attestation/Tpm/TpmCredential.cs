using System.Buffers.Binary;
using System.Security.Cryptography;

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
        ArgumentNullException.ThrowIfNull(endorsementKey);
        int size = TpmHash.SizeOf(endorsementKey.NameAlgorithm);
        if (secret.Length == 0 || secret.Length > size) throw new ArgumentException($"A secret has 1 to {size} bytes.", nameof(secret));
        byte[] plain = TpmProtection.Sized(secret);
        try
        {
            (byte[] blob, byte[] seed) = TpmProtection.Protect(endorsementKey, Identity, name, plain);
            return new TpmCredential(TpmProtection.Sized(blob), TpmProtection.Sized(seed));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
        }
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
}
