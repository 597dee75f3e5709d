namespace Cloister.Attestation.SevSnp;

/// <summary>Names of the fields in the claims of SEV-SNP evidence. Bytes are lower-case hexadecimal, bit fields 0x-hexadecimal, TCBs as <see cref="SnpTcb.ToString"/> writes them.</summary>
public static class SnpFields
{
    /// <summary>The product line.</summary>
    public const string Product = "product";

    /// <summary>The report layout's version.</summary>
    public const string Version = "version";

    /// <summary><c>VCEK</c> or <c>VLEK</c>.</summary>
    public const string SigningKey = "signingKey";

    /// <summary>The cloud provider of a VLEK.</summary>
    public const string Provider = "provider";

    /// <summary><c>checked</c> if a revocation list was at hand and in order, otherwise <c>not checked</c>.</summary>
    public const string Revocation = "revocation";

    /// <summary>The chip; zeros if the host masks it.</summary>
    public const string ChipId = "chipId";

    /// <summary>The guest's policy.</summary>
    public const string GuestPolicy = "guestPolicy";

    /// <summary>The privilege level that asked.</summary>
    public const string Vmpl = "vmpl";

    /// <summary>The signed report data.</summary>
    public const string ReportData = "reportData";

    /// <summary>The host's data.</summary>
    public const string HostData = "hostData";

    /// <summary>The owner's family id.</summary>
    public const string FamilyId = "familyId";

    /// <summary>The owner's image id.</summary>
    public const string ImageId = "imageId";

    /// <summary>The guest's identity for its lifetime.</summary>
    public const string ReportId = "reportId";

    /// <summary>The migration agent's identity.</summary>
    public const string MigrationAgentReportId = "migrationAgentReportId";

    /// <summary>The security version of the guest's image.</summary>
    public const string GuestSvn = "guestSvn";

    /// <summary>The TCB that the signing key was derived for.</summary>
    public const string ReportedTcb = "reportedTcb";

    /// <summary>The TCB in force.</summary>
    public const string CurrentTcb = "currentTcb";

    /// <summary>The TCB below which the platform cannot be rolled back.</summary>
    public const string CommittedTcb = "committedTcb";

    /// <summary>The TCB when the guest was launched.</summary>
    public const string LaunchTcb = "launchTcb";

    /// <summary>The running firmware's version.</summary>
    public const string CurrentFirmware = "currentFirmware";

    /// <summary>The committed firmware's version.</summary>
    public const string CommittedFirmware = "committedFirmware";

    /// <summary>What the platform is and has switched on.</summary>
    public const string PlatformInfo = "platformInfo";

    /// <summary>Mitigations at launch; absent before version 5.</summary>
    public const string LaunchMitigations = "launchMitigations";

    /// <summary>Mitigations now; absent before version 5.</summary>
    public const string CurrentMitigations = "currentMitigations";

    /// <summary>Digest of the key of the identity block; zeros without one.</summary>
    public const string IdKeyDigest = "idKeyDigest";

    /// <summary>Digest of the author's key.</summary>
    public const string AuthorKeyDigest = "authorKeyDigest";

    /// <summary><c>true</c> if an author's key vouches for the identity key.</summary>
    public const string AuthorKeyEnabled = "authorKeyEnabled";
}
