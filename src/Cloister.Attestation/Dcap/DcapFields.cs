namespace Cloister.Attestation.Dcap;

/// <summary>Names of the fields that claims of TDX and SGX share. Digests and numbers of bytes are lower-case hexadecimal.</summary>
public static class DcapFields
{
    /// <summary>The quote's version.</summary>
    public const string QuoteVersion = "quoteVersion";

    /// <summary>What follows the quote, unsigned: <c>none</c>, <c>zeros</c> or <c>other</c>.</summary>
    public const string Trailing = "trailing";

    /// <summary>The signed report data, 64 bytes.</summary>
    public const string ReportData = "reportData";

    /// <summary>The platform's family, model, stepping and type, 6 bytes.</summary>
    public const string Fmspc = "fmspc";

    /// <summary>The provisioning certification enclave's number, 2 bytes.</summary>
    public const string PceId = "pceId";

    /// <summary>The provisioning certification enclave's security version.</summary>
    public const string PceSvn = "pceSvn";

    /// <summary>The 16 security versions in the PCK certificate.</summary>
    public const string PlatformTcb = "platformTcb";

    /// <summary>Whether processors may be added to the platform: <c>true</c>, <c>false</c> or <c>unknown</c>.</summary>
    public const string DynamicPlatform = "dynamicPlatform";

    /// <summary>Whether Intel's service caches the platform's keys: <c>true</c>, <c>false</c> or <c>unknown</c>.</summary>
    public const string CachedKeys = "cachedKeys";

    /// <summary>Whether simultaneous multithreading is on: <c>true</c>, <c>false</c> or <c>unknown</c>.</summary>
    public const string Smt = "smt";

    /// <summary>The status that follows from all parts: a name of <see cref="Dcap.TcbStatus"/>.</summary>
    public const string TcbStatus = "tcbStatus";

    /// <summary>Whether the platform reaches any TCB level that Intel lists: <c>true</c> or <c>false</c>; absent if it was not evaluated.</summary>
    public const string TcbLevelFound = "tcbLevelFound";

    /// <summary>The platform's own status.</summary>
    public const string PlatformStatus = "tcbPlatformStatus";

    /// <summary>The TDX module's status; absent where its version has no identity of its own.</summary>
    public const string ModuleStatus = "tcbModuleStatus";

    /// <summary>The quoting enclave's status.</summary>
    public const string QeStatus = "tcbQeStatus";

    /// <summary>The oldest date of the levels, such as <c>2024-03-13T00:00:00Z</c>.</summary>
    public const string TcbDate = "tcbDate";

    /// <summary>Advisories that apply, separated by commas.</summary>
    public const string Advisories = "tcbAdvisories";

    /// <summary>The smaller evaluation data number of TCB info and quoting enclave identity.</summary>
    public const string EvaluationDataNumber = "tcbEvaluationDataNumber";

    /// <summary>When the first of TCB info, identity and revocation lists ends.</summary>
    public const string CollateralUntil = "collateralUntil";

    /// <summary>How moments are written.</summary>
    internal const string MomentFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";
}
