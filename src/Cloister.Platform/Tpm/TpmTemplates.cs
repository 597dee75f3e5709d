using Cloister.Attestation.Tpm;

namespace Cloister.Platform.Tpm;

/// <summary>Public areas (TPMT_PUBLIC) of the keys that this library makes. The same template gives the same key on one TPM.</summary>
internal static class TpmTemplates
{
    private const ushort KeyedHash = 0x0008;
    private const int Aes128 = 128, Aes256 = 256;

    private const TpmAttributes Primary = TpmAttributes.FixedTpm | TpmAttributes.FixedParent | TpmAttributes.SensitiveDataOrigin | TpmAttributes.Restricted;

    // PolicyB of the EK Credential Profile (2.5, B.6), SHA-384.
    private static ReadOnlySpan<byte> PolicyB384 =>
    [
        0xB2, 0x6E, 0x7D, 0x28, 0xD1, 0x1A, 0x50, 0xBC, 0x53, 0xD8, 0x82, 0xBC, 0xF5, 0xFD, 0x3A, 0x1A,
        0x07, 0x41, 0x48, 0xBB, 0x35, 0xD3, 0xB4, 0xE4, 0xCB, 0x1C, 0x0A, 0xD9, 0xBD, 0xE4, 0x19, 0xCA,
        0xCB, 0x47, 0xBA, 0x09, 0x69, 0x96, 0x46, 0x15, 0x0F, 0x9F, 0xC0, 0x00, 0xF3, 0xF8, 0x0E, 0x12,
    ];

    /// <summary>
    /// The attestation key: ECDSA P-256 that signs nothing but the TPM's own statements. Without noDA the first use after an unclean end
    /// answers TPM_RC_RETRY, and every such end counts as a wrong guess until the TPM locks (TPM_RC_LOCKOUT).
    /// </summary>
    public static byte[] AttestationKey { get; } = Build(command => command
        .Algorithm(TpmAlgorithm.Ecc).Algorithm(TpmAlgorithm.Sha256).UInt32((uint)(Primary | TpmAttributes.UserWithAuth | TpmAttributes.NoDa | TpmAttributes.Sign)).Sized([])
        .Algorithm(TpmAlgorithm.Null).Algorithm(TpmAlgorithm.EcDsa).Algorithm(TpmAlgorithm.Sha256).UInt16((int)TpmCurve.NistP256).Algorithm(TpmAlgorithm.Null).Sized([]).Sized([]));

    /// <summary>The storage root key (TCG TPM v2.0 Provisioning Guidance, 7.5.1), ECC P-256.</summary>
    public static byte[] StorageKey { get; } = Build(command => command
        .Algorithm(TpmAlgorithm.Ecc).Algorithm(TpmAlgorithm.Sha256).UInt32((uint)(Primary | TpmAttributes.UserWithAuth | TpmAttributes.NoDa | TpmAttributes.Decrypt)).Sized([])
        .Algorithm(TpmAlgorithm.Aes).UInt16(Aes128).Algorithm(TpmAlgorithm.Cfb).Algorithm(TpmAlgorithm.Null).UInt16((int)TpmCurve.NistP256).Algorithm(TpmAlgorithm.Null).Sized(new byte[32]).Sized(new byte[32]));

    /// <summary>Endorsement key of template L-1: RSA 2048.</summary>
    public static byte[] RsaEndorsementKey { get; } = TpmEndorsementKey.RsaTemplate.ToArray();

    /// <summary>Endorsement key of template L-2: ECC P-256.</summary>
    public static byte[] EccEndorsementKey { get; } = Build(command => command
        .Algorithm(TpmAlgorithm.Ecc).Algorithm(TpmAlgorithm.Sha256).UInt32((uint)(Primary | TpmAttributes.AdminWithPolicy | TpmAttributes.Decrypt)).Sized(TpmEndorsementKey.PolicyA)
        .Algorithm(TpmAlgorithm.Aes).UInt16(Aes128).Algorithm(TpmAlgorithm.Cfb).Algorithm(TpmAlgorithm.Null).UInt16((int)TpmCurve.NistP256).Algorithm(TpmAlgorithm.Null).Sized(new byte[32]).Sized(new byte[32]));

    /// <summary>Endorsement key of template H-3: ECC P-384.</summary>
    public static byte[] EccP384EndorsementKey { get; } = Build(command => command
        .Algorithm(TpmAlgorithm.Ecc).Algorithm(TpmAlgorithm.Sha384).UInt32((uint)(Primary | TpmAttributes.UserWithAuth | TpmAttributes.AdminWithPolicy | TpmAttributes.Decrypt)).Sized(PolicyB384)
        .Algorithm(TpmAlgorithm.Aes).UInt16(Aes256).Algorithm(TpmAlgorithm.Cfb).Algorithm(TpmAlgorithm.Null).UInt16((int)TpmCurve.NistP384).Algorithm(TpmAlgorithm.Null).Sized([]).Sized([]));

    /// <summary>Sealed data that only a policy opens: no authorisation value does. What comes from outside is not fixed to a TPM.</summary>
    public static byte[] SealedData(ReadOnlySpan<byte> policy, ReadOnlySpan<byte> unique, bool isImport)
    {
        TpmAttributes attributes = isImport ? TpmAttributes.NoDa : TpmAttributes.FixedTpm | TpmAttributes.FixedParent | TpmAttributes.NoDa;
        using var command = new TpmCommand(0);
        return ContentOf(command.UInt16(KeyedHash).Algorithm(TpmAlgorithm.Sha256).UInt32((uint)attributes).Sized(policy).Algorithm(TpmAlgorithm.Null).Sized(unique));
    }

    private static byte[] Build(Func<TpmCommand, TpmCommand> write)
    {
        using var command = new TpmCommand(0);
        return ContentOf(write(command));
    }

    private static byte[] ContentOf(TpmCommand command) => command.Finish()[TpmAnswer.HeaderSize..].ToArray();
}
