using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.SevSnp;
using Cloister.Attestation.Sgx;
using Cloister.Attestation.Tdx;

namespace Cloister.Bench;

/// <summary>A policy that SEV-SNP samples satisfy: every field is looked at, few are held to a value.</summary>
internal static class SnpPolicies
{
    private static readonly Requirement<string> Text = Requirement.Any<string>();

    public static SnpPolicy Lax { get; } = new()
    {
        AllowDebug = false, AllowMigrationAgent = false, AllowSmt = true, GuestPolicy = BitRequirement.Any, Abi = Requirement.Any<Version>(), Vmpl = Requirement.Any<long>(),
        ReportData = Text, Measurement = Text, HostData = Text, ReportedTcb = SnpTcbMinimum.Any, CommittedTcb = SnpTcbMinimum.Any, LaunchTcb = SnpTcbMinimum.Any,
        AllowProvisionalFirmware = true, Firmware = Requirement.Any<Version>(), GuestSvn = Requirement.Any<long>(), Mitigations = BitRequirement.Any,
        IdKeyDigest = Text, RequireAuthorKey = false, AuthorKeyDigest = Text, Product = Text, SigningKey = Text, Provider = Text, ChipId = Text,
        RequireRevocationCheck = false, FamilyId = Text, ImageId = Text, PlatformInfo = BitRequirement.Any,
    };
}

/// <summary>The same for TDX and SGX.</summary>
internal static class DcapPolicies
{
    private static readonly Requirement<string> Text = Requirement.Any<string>();
    private static readonly Requirement<long> Number = Requirement.Any<long>();
    private static readonly TcbPolicy Tcb = new([TcbStatus.UpToDate, TcbStatus.ConfigurationAndSWHardeningNeeded], null, Number, 0, true, true, true, TrailingBytes.Zeros);

    public static TdxPolicy Tdx { get; } = new()
    {
        MrTd = Text, Rtmr0 = Text, Rtmr1 = Text, Rtmr2 = Text, Rtmr3 = Text, MrSeam = Text, MrConfigId = Text, MrOwner = Text, MrOwnerConfig = Text, MrServiceTd = Text,
        Attributes = BitRequirement.Any, Xfam = BitRequirement.Any, AllowDebug = false, Tcb = Tcb,
    };

    public static SgxPolicy Sgx { get; } = new()
    {
        MrEnclave = Text, MrSigner = Text, ProductId = Number, Svn = Number, ConfigId = Text, ConfigSvn = Number, FamilyId = Text, ExtendedProductId = Text,
        Flags = BitRequirement.Any, Xfrm = BitRequirement.Any, AllowDebug = false, AllowProvisionKey = false, Tcb = Tcb,
    };
}
