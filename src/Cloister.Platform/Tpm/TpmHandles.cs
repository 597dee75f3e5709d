namespace Cloister.Platform.Tpm;

/// <summary>Handles that every TPM has (TPM 2.0 Library part 2, 7), and those that TCG reserves (Registry of Reserved TPM 2.0 Handles; EK Credential Profile, 2.2.1).</summary>
internal static class TpmHandles
{
    public const uint Owner = 0x40000001, None = 0x40000007, Password = 0x40000009, Endorsement = 0x4000000B;

    public const uint FirstLoadedSession = 0x02000000, FirstTransient = 0x80000000;

    public const uint RsaCertificate = 0x01C00002, EccCertificate = 0x01C0000A, EccP384Certificate = 0x01C00016;

    public const uint StorageKey = 0x81000001, RsaEndorsementKey = 0x81010001, EccEndorsementKey = 0x81010002, EccP384EndorsementKey = 0x81010016;

    /// <summary>NV indexes with the certificates between the endorsement key's and its root (EK Credential Profile, 2.2.1.5.2).</summary>
    public const uint FirstChainCertificate = 0x01C00100, LastChainCertificate = 0x01C001FF;

    public static bool IsNvIndex(uint handle) => handle >> 24 == 0x01;

    public static bool IsPersistent(uint handle) => handle >> 24 == 0x81;
}
