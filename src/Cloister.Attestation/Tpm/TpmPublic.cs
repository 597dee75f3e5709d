namespace Cloister.Attestation.Tpm;

/// <summary>Object attributes (TPMA_OBJECT, TPM 2.0 Library part 2, 8.3).</summary>
[Flags]
public enum TpmAttributes : uint
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>It never leaves its TPM.</summary>
    FixedTpm = 1 << 1,
    /// <summary>It is lost at a restart.</summary>
    StClear = 1 << 2,
    /// <summary>It stays under its parent.</summary>
    FixedParent = 1 << 4,
    /// <summary>The TPM made its secret itself.</summary>
    SensitiveDataOrigin = 1 << 5,
    /// <summary>Its user may authorise by password or HMAC.</summary>
    UserWithAuth = 1 << 6,
    /// <summary>Its administration needs its policy.</summary>
    AdminWithPolicy = 1 << 7,
    /// <summary>It is outside the dictionary attack protection.</summary>
    NoDa = 1 << 10,
    /// <summary>It is encrypted whenever it is duplicated.</summary>
    EncryptedDuplication = 1 << 11,
    /// <summary>It signs only what the TPM itself made, or decrypts only the TPM's own structures.</summary>
    Restricted = 1 << 16,
    /// <summary>It decrypts.</summary>
    Decrypt = 1 << 17,
    /// <summary>It signs.</summary>
    Sign = 1 << 18,
}

/// <summary>Curves (TPM_ECC_CURVE) of the keys that are read.</summary>
public enum TpmCurve : ushort
{
    /// <summary>An RSA key.</summary>
    None = 0,
    /// <summary>NIST P-256.</summary>
    NistP256 = 3,
    /// <summary>NIST P-384.</summary>
    NistP384 = 4,
    /// <summary>NIST P-521.</summary>
    NistP521 = 5,
}

/// <summary>The public area of a TPM key (TPMT_PUBLIC, TPM 2.0 Library part 2, 12.2.4). Parsing proves nothing.</summary>
/// <param name="Type">RSA or ECC.</param>
/// <param name="NameAlgorithm">The hash of its name.</param>
/// <param name="Attributes">What the TPM enforces for it.</param>
/// <param name="AuthPolicy">The digest of its authorisation policy; empty if it has none.</param>
/// <param name="Symmetric">The symmetric algorithm of a storage key; null algorithm otherwise.</param>
/// <param name="SymmetricBits">Its key size.</param>
/// <param name="Scheme">The signature scheme it is confined to; null algorithm if none.</param>
/// <param name="SchemeHash">That scheme's hash; null algorithm if there is none.</param>
/// <param name="Curve">The curve of an ECC key.</param>
/// <param name="Exponent">The public exponent of an RSA key.</param>
/// <param name="First">The RSA modulus, or x.</param>
/// <param name="Second">y; empty for RSA.</param>
/// <param name="Name">The key's name: its hash's number, then the hash over the whole area.</param>
public sealed record TpmPublic(
    TpmAlgorithm Type,
    TpmAlgorithm NameAlgorithm,
    TpmAttributes Attributes,
    ReadOnlyMemory<byte> AuthPolicy,
    TpmAlgorithm Symmetric,
    int SymmetricBits,
    TpmAlgorithm Scheme,
    TpmAlgorithm SchemeHash,
    TpmCurve Curve,
    uint Exponent,
    ReadOnlyMemory<byte> First,
    ReadOnlyMemory<byte> Second,
    ReadOnlyMemory<byte> Name)
{
    private const TpmAttributes Required = TpmAttributes.FixedTpm | TpmAttributes.FixedParent | TpmAttributes.SensitiveDataOrigin | TpmAttributes.Restricted | TpmAttributes.Sign;

    /// <summary>What keeps it from being an attestation key; null if nothing does.</summary>
    public string? AttestationKeyProblem =>
        (Attributes & Required) != Required ? $"it lacks {Required & ~Attributes}: what it signs need not come from a TPM"
        : (Attributes & TpmAttributes.Decrypt) != 0 ? "it also decrypts"
        : Scheme == TpmAlgorithm.Null ? "it is confined to no signature scheme"
        : null;

    /// <summary>Bytes of a coordinate on the curve; 0 for RSA.</summary>
    internal int CoordinateSize => CoordinateSizeOf(Curve);

    internal static int CoordinateSizeOf(TpmCurve curve) => curve switch
    {
        TpmCurve.NistP256 => 32,
        TpmCurve.NistP384 => 48,
        TpmCurve.NistP521 => 66,
        _ => 0,
    };
}
