using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.Tdx;

namespace Cloister.Cli.Attest.Cases;

/// <summary>Maps a case of kind <c>tdx</c> to the library's call.</summary>
internal static class TdxCase
{
    public static CaseOutcome Run(AttestationCase one, DcapMemory memory)
    {
        TdxVerifier verifier = DcapCase.SignatureOnly(one) ? TdxVerifier.SignatureOnly(memory) : new TdxVerifier(memory);
        return DcapCase.Run(one, TeeKind.Tdx, verifier, new TdxAppraiser(), Policy(one), quote => quote.Body.Length >= TdReport.Size10 ? new TdReport(quote.Body).ReportData : default);
    }

    public static TdxPolicy Policy(AttestationCase one) => new()
    {
        MrTd = DcapCase.Text(one, "mrtd"),
        Rtmr0 = Requirement.Any<string>(),
        Rtmr1 = Requirement.Any<string>(),
        Rtmr2 = Requirement.Any<string>(),
        Rtmr3 = Requirement.Any<string>(),
        MrSeam = Requirement.Any<string>(),
        MrConfigId = Requirement.Any<string>(),
        MrOwner = Requirement.Any<string>(),
        MrOwnerConfig = Requirement.Any<string>(),
        MrServiceTd = DcapCase.SignatureOnly(one) ? Requirement.Any<string>() : Requirement.Exactly(new string('0', 96)),
        Attributes = new BitRequirement(
            one.Flag("require_sept_ve_disable", false) ? TdReport.SeptVeDisable : 0,
            one.Flag("reject_reserved_attributes", false) ? TdReport.KnownAttributes : ulong.MaxValue),
        Xfam = BitRequirement.Any,
        AllowDebug = one.Flag("allow_debug", false),
        Tcb = DcapCase.Tcb(one),
    };
}
