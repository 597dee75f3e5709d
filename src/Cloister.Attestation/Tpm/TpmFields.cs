using System.Globalization;

namespace Cloister.Attestation.Tpm;

/// <summary>Names of the fields in the claims of a TPM quote. A field that is not proven is absent.</summary>
public static class TpmFields
{
    /// <summary>The attestation key's name, hexadecimal; absent if the key came without its public area.</summary>
    public const string KeyName = "ak.name";

    /// <summary>Scheme, key and hash, such as <c>ecdsa ecc-256 sha256</c>.</summary>
    public const string KeyAlgorithm = "ak.algorithm";

    /// <summary>What the TPM enforces for the key; absent if the key came without its public area.</summary>
    public const string KeyAttributes = "ak.attributes";

    /// <summary>The hierarchy the key is a primary key of; absent if it is below another key.</summary>
    public const string KeyHierarchy = "ak.hierarchy";

    /// <summary>Subject (RFC 4514) of the certificate by which an anchor's authority vouches for the key; absent without one.</summary>
    public const string CertificateSubject = "ak.certificate.subject";

    /// <summary>Issuer of that certificate.</summary>
    public const string CertificateIssuer = "ak.certificate.issuer";

    /// <summary>Why the attached certificate does not vouch for the key.</summary>
    public const string CertificateProblem = "ak.certificate.problem";

    /// <summary>Google Cloud project of the certificate.</summary>
    public const string GceProject = "gce.project";

    /// <summary>Google Cloud zone of the certificate.</summary>
    public const string GceZone = "gce.zone";

    /// <summary>Google Cloud instance number of the certificate.</summary>
    public const string GceInstance = "gce.instance";

    /// <summary>The signature's hash.</summary>
    public const string SignatureHash = "signature.hash";

    /// <summary>The quoted banks in signed order, joined by ','.</summary>
    public const string Banks = "banks";

    /// <summary>Milliseconds of powered time.</summary>
    public const string Clock = "clock";

    /// <summary>Resets: boots.</summary>
    public const string ResetCount = "clock.resetCount";

    /// <summary>Restarts and resumptions since the last reset.</summary>
    public const string RestartCount = "clock.restartCount";

    /// <summary>Whether the clock cannot have gone back: <c>true</c> or <c>false</c>.</summary>
    public const string ClockSafe = "clock.safe";

    /// <summary>The TPM's firmware version, as a number.</summary>
    public const string FirmwareVersion = "firmwareVersion";

    /// <summary>The nonce that was signed, hexadecimal.</summary>
    public const string Nonce = "nonce";

    /// <summary>A quoted PCR value, hexadecimal.</summary>
    /// <param name="bank">The bank.</param>
    /// <param name="index">The PCR, 0 to 23.</param>
    public static string Pcr(TpmAlgorithm bank, int index) => PcrNames[BankIndex(bank) * TpmLayout.PcrCount + index];

    /// <summary>What the replayed log says, in the digests of a bank.</summary>
    /// <param name="bank">The bank.</param>
    /// <param name="what">One of the names in <see cref="Boot"/>.</param>
    public static string OfBoot(TpmAlgorithm bank, string what) => $"boot.{TpmHash.NameOf(bank)}.{what}";

    private static readonly TpmAlgorithm[] BankOrder = [TpmAlgorithm.Sha1, TpmAlgorithm.Sha256, TpmAlgorithm.Sha384, TpmAlgorithm.Sha512];

    private static readonly string[] PcrNames = [.. BankOrder.SelectMany(bank => Enumerable.Range(0, TpmLayout.PcrCount).Select(index => string.Create(CultureInfo.InvariantCulture, $"pcr.{TpmHash.NameOf(bank)}.{index}")))];

    private static int BankIndex(TpmAlgorithm bank) => Array.IndexOf(BankOrder, bank) is >= 0 and var index ? index : throw new ArgumentOutOfRangeException(nameof(bank), bank, "Not a bank.");

    /// <summary>What is said of a boot; lists are joined by ','.</summary>
    public static class Boot
    {
        /// <summary><c>true</c>, <c>false</c>; absent if the log proves neither.</summary>
        public const string SecureBoot = "secureBoot";

        /// <summary>Digests of loaders and kernels (PCR 4), Authenticode.</summary>
        public const string Applications = "applications";

        /// <summary>Digests of what allowed images to start (PCR 7).</summary>
        public const string Authorities = "authorities";

        /// <summary>The sections of a unified kernel image (PCR 11), each as <c>name=digest</c>.</summary>
        public const string StubSections = "stubSections";

        /// <summary>The phases systemd reached (PCR 11), joined by ':'.</summary>
        public const string Phases = "phases";

        /// <summary>The kernel's command line as GRUB passed it on (PCR 8).</summary>
        public const string CommandLine = "commandLine";

        /// <summary>The digest of the load options that the kernel's EFI stub measured (PCR 9).</summary>
        public const string LoadOptions = "loadOptions";

        /// <summary>The digest of the initrd that the kernel's EFI stub measured (PCR 9).</summary>
        public const string Initrd = "initrd";

        /// <summary>PCR 10: <c>none</c> (zero), <c>boot-aggregate</c> (nothing else), <c>list</c> (follows from the attached list); absent if unexplained or not quoted.</summary>
        public const string Ima = "ima";

        /// <summary>How many entries of the attached measurement list are quoted.</summary>
        public const string ImaEntries = "imaEntries";
    }
}
