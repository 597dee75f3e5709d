using System.Security.Cryptography;

namespace Cloister.Attestation.Tpm;

/// <summary>TPM_ALG_ID values that attestation uses (TCG Algorithm Registry, table 3).</summary>
public enum TpmAlgorithm : ushort
{
    /// <summary>RSA keys.</summary>
    Rsa = 0x0001,
    /// <summary>SHA-1.</summary>
    Sha1 = 0x0004,
    /// <summary>AES.</summary>
    Aes = 0x0006,
    /// <summary>SHA-256.</summary>
    Sha256 = 0x000B,
    /// <summary>SHA-384.</summary>
    Sha384 = 0x000C,
    /// <summary>SHA-512.</summary>
    Sha512 = 0x000D,
    /// <summary>No algorithm.</summary>
    Null = 0x0010,
    /// <summary>RSASSA-PKCS1-v1_5.</summary>
    RsaSsa = 0x0014,
    /// <summary>RSASSA-PSS.</summary>
    RsaPss = 0x0016,
    /// <summary>ECDSA.</summary>
    EcDsa = 0x0018,
    /// <summary>Keys on an elliptic curve.</summary>
    Ecc = 0x0023,
    /// <summary>CFB mode.</summary>
    Cfb = 0x0043,
}

/// <summary>The hashes of a TPM: PCR banks, signatures and names.</summary>
internal static class TpmHash
{
    /// <summary>Bytes of the largest digest.</summary>
    public const int MaximumSize = SHA512.HashSizeInBytes;

    public static bool IsHash(TpmAlgorithm algorithm) => SizeOf(algorithm) != 0;

    /// <summary>Bytes of a digest; 0 if the algorithm is not a hash that is known here.</summary>
    public static int SizeOf(TpmAlgorithm algorithm) => algorithm switch
    {
        TpmAlgorithm.Sha1 => SHA1.HashSizeInBytes,
        TpmAlgorithm.Sha256 => SHA256.HashSizeInBytes,
        TpmAlgorithm.Sha384 => SHA384.HashSizeInBytes,
        TpmAlgorithm.Sha512 => SHA512.HashSizeInBytes,
        _ => 0,
    };

    /// <summary>The bank's name in policies and claims, such as <c>sha256</c>.</summary>
    public static string NameOf(TpmAlgorithm algorithm) => algorithm switch
    {
        TpmAlgorithm.Sha1 => "sha1",
        TpmAlgorithm.Sha256 => "sha256",
        TpmAlgorithm.Sha384 => "sha384",
        TpmAlgorithm.Sha512 => "sha512",
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "Not a hash."),
    };

    /// <summary>The hash of this name; null if there is none.</summary>
    public static TpmAlgorithm? Named(string name) => name switch
    {
        "sha1" => TpmAlgorithm.Sha1,
        "sha256" => TpmAlgorithm.Sha256,
        "sha384" => TpmAlgorithm.Sha384,
        "sha512" => TpmAlgorithm.Sha512,
        _ => null,
    };

    public static HashAlgorithmName PlatformName(TpmAlgorithm algorithm) => algorithm switch
    {
        TpmAlgorithm.Sha1 => HashAlgorithmName.SHA1,
        TpmAlgorithm.Sha256 => HashAlgorithmName.SHA256,
        TpmAlgorithm.Sha384 => HashAlgorithmName.SHA384,
        TpmAlgorithm.Sha512 => HashAlgorithmName.SHA512,
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "Not a hash."),
    };

    /// <summary>Hashes into <paramref name="digest"/> and returns its size.</summary>
#pragma warning disable CA5350 // SHA-1 is what old banks and logs hold; whether it counts is the policy's decision
    public static int Hash(TpmAlgorithm algorithm, ReadOnlySpan<byte> data, Span<byte> digest) => algorithm switch
    {
        TpmAlgorithm.Sha1 => SHA1.HashData(data, digest),
        TpmAlgorithm.Sha256 => SHA256.HashData(data, digest),
        TpmAlgorithm.Sha384 => SHA384.HashData(data, digest),
        TpmAlgorithm.Sha512 => SHA512.HashData(data, digest),
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "Not a hash."),
    };
#pragma warning restore CA5350

    public static byte[] Hash(TpmAlgorithm algorithm, ReadOnlySpan<byte> data)
    {
        var digest = new byte[SizeOf(algorithm)];
        Hash(algorithm, data, digest);
        return digest;
    }

    /// <summary>Whether <paramref name="digest"/> is the hash of <paramref name="data"/>.</summary>
    public static bool Matches(TpmAlgorithm algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> digest)
    {
        Span<byte> made = stackalloc byte[MaximumSize];
        return made[..Hash(algorithm, data, made)].SequenceEqual(digest);
    }

    /// <summary>Extends a PCR in place: H(old value ‖ digest) (TPM 2.0 Library part 1, 17.2).</summary>
    public static void Extend(TpmAlgorithm algorithm, Span<byte> pcr, ReadOnlySpan<byte> digest)
    {
        Span<byte> both = stackalloc byte[2 * MaximumSize];
        pcr.CopyTo(both);
        digest.CopyTo(both[pcr.Length..]);
        Hash(algorithm, both[..(pcr.Length + digest.Length)], pcr);
    }
}
