using System.Security.Cryptography;

namespace Cloister.Attestation.Tpm;

/// <summary>
/// Data sealed to a TPM by its public key alone, for TPM2_Import (TPM 2.0 Library part 3, 13.3): whoever has the public area of a
/// machine's storage or endorsement key, and a policy, needs no TPM. Only the policy opens it; no authorisation value does.
/// </summary>
/// <param name="Public">TPMT_PUBLIC of the sealed data.</param>
/// <param name="Duplicate">Content of TPM2B_PRIVATE.</param>
/// <param name="EncryptedSeed">Content of TPM2B_ENCRYPTED_SECRET.</param>
public sealed record TpmImport(ReadOnlyMemory<byte> Public, ReadOnlyMemory<byte> Duplicate, ReadOnlyMemory<byte> EncryptedSeed)
{
    /// <summary>Most bytes that a TPM seals (MAX_SYM_DATA).</summary>
    public const int MaximumData = 128;

    private const int KeyedHash = 0x0008, DigestSize = SHA256.HashSizeInBytes;

    // noDA alone: without userWithAuth there is no value to guess, and what comes from outside is not fixed to a TPM.
    private const uint Attributes = (uint)TpmAttributes.NoDa;

    private static ReadOnlySpan<byte> DuplicateLabel => "DUPLICATE\0"u8;

    /// <summary>Seals data.</summary>
    /// <param name="parent">The public area of the TPM's storage or endorsement key. Whoever chose it can read the data: know that it is a TPM's, by its certificate or by enrolment.</param>
    /// <param name="policy">What must hold to unseal it, such as <see cref="TpmPcrPolicy.Digest"/>; 32 bytes.</param>
    /// <param name="data">1 to <see cref="MaximumData"/> bytes, usually a key; stay the caller's to zero.</param>
    /// <exception cref="ArgumentException">The parent is no storage key, or a size is wrong.</exception>
    public static TpmImport Seal(TpmPublic parent, ReadOnlySpan<byte> policy, ReadOnlySpan<byte> data)
    {
        ArgumentNullException.ThrowIfNull(parent);
        const TpmAttributes storage = TpmAttributes.Restricted | TpmAttributes.Decrypt;
        if ((parent.Attributes & storage) != storage) throw new ArgumentException("The parent is not a storage or endorsement key: it must be restricted and decrypt.", nameof(parent));
        if (policy.Length != DigestSize) throw new ArgumentException($"A policy has {DigestSize} bytes.", nameof(policy));
        if (data.Length is 0 or > MaximumData) throw new ArgumentException($"A TPM seals 1 to {MaximumData} bytes.", nameof(data));
        byte[] obfuscation = RandomNumberGenerator.GetBytes(DigestSize), sensitive = Sensitive(obfuscation, data), unique = [.. obfuscation, .. data];
        try
        {
            byte[] area = PublicArea(policy, SHA256.HashData(unique));
            byte[] name = [.. BigEndian((int)TpmAlgorithm.Sha256), .. SHA256.HashData(area)];
            (byte[] duplicate, byte[] seed) = TpmProtection.Protect(parent, DuplicateLabel, name, sensitive);
            return new TpmImport(area, duplicate, seed);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(obfuscation);
            CryptographicOperations.ZeroMemory(sensitive);
            CryptographicOperations.ZeroMemory(unique);
        }
    }

    private static byte[] PublicArea(ReadOnlySpan<byte> policy, byte[] unique) =>
        [.. BigEndian(KeyedHash), .. BigEndian((int)TpmAlgorithm.Sha256), .. BigEndian((int)(Attributes >> 16)), .. BigEndian((int)(Attributes & 0xFFFF)), .. TpmProtection.Sized(policy), .. BigEndian((int)TpmAlgorithm.Null), .. TpmProtection.Sized(unique)];

    /// <summary>TPM2B_SENSITIVE: type, no authorisation value, the obfuscation value that hides the data in the name, the data.</summary>
    private static byte[] Sensitive(byte[] obfuscation, ReadOnlySpan<byte> data)
    {
        byte[] first = [.. BigEndian(KeyedHash), .. TpmProtection.Sized([]), .. TpmProtection.Sized(obfuscation)], second = TpmProtection.Sized(data), both = [.. first, .. second];
        byte[] sized = TpmProtection.Sized(both);
        CryptographicOperations.ZeroMemory(first);
        CryptographicOperations.ZeroMemory(second);
        CryptographicOperations.ZeroMemory(both);
        return sized;
    }

    private static byte[] BigEndian(int value) => [(byte)(value >> 8), (byte)value];
}
