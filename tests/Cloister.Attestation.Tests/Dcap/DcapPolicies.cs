using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.Sgx;
using Cloister.Attestation.Tdx;

namespace Cloister.Tests.Dcap;

/// <summary>Strict policies that the fake chip, as made, satisfies.</summary>
internal static class DcapPolicies
{
    private static readonly Requirement<string> Zero48 = Requirement.Exactly(new string('0', 96));

    public static TcbPolicy Tcb { get; } = new([TcbStatus.UpToDate], [], Requirement.AtLeast(19L), 0, false, false, false, TrailingBytes.None);

    public static TdxPolicy Tdx { get; } = new()
    {
        MrTd = Requirement.Exactly(string.Concat(Enumerable.Repeat("aa", 48))),
        Rtmr0 = Zero48,
        Rtmr1 = Zero48,
        Rtmr2 = Zero48,
        Rtmr3 = Zero48,
        MrSeam = Zero48,
        MrConfigId = Zero48,
        MrOwner = Zero48,
        MrOwnerConfig = Zero48,
        MrServiceTd = Zero48,
        Attributes = BitRequirement.Exactly(TdReport.SeptVeDisable),
        Xfam = BitRequirement.Exactly(0xE7),
        AllowDebug = false,
        Tcb = Tcb,
    };

    public static SgxPolicy Sgx { get; } = new()
    {
        MrEnclave = Requirement.Exactly(string.Concat(Enumerable.Repeat("aa", 32))),
        MrSigner = Requirement.Exactly(string.Concat(Enumerable.Repeat("bb", 32))),
        ProductId = Requirement.Exactly(7L),
        Svn = Requirement.AtLeast(4L),
        ConfigId = Requirement.Exactly(new string('0', 128)),
        ConfigSvn = Requirement.Exactly(0L),
        FamilyId = Requirement.Exactly(new string('0', 32)),
        ExtendedProductId = Requirement.Exactly(new string('0', 32)),
        Flags = BitRequirement.Exactly(5),
        Xfrm = BitRequirement.Exactly(0xE7),
        AllowDebug = false,
        AllowProvisionKey = false,
        Tcb = Tcb,
    };
}
