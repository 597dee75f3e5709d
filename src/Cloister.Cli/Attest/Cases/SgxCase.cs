using System.Text.Json;
using Cloister.Attestation;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.Sgx;

namespace Cloister.Cli.Attest.Cases;

/// <summary>Maps a case of kind <c>sgx</c> to the library's call.</summary>
internal static class SgxCase
{
    public static CaseOutcome Run(AttestationCase one, DcapMemory memory)
    {
        SgxVerifier verifier = DcapCase.SignatureOnly(one) ? SgxVerifier.SignatureOnly(memory) : new SgxVerifier(memory);
        return DcapCase.Run(one, TeeKind.Sgx, verifier, new SgxAppraiser(), Policy(one), quote => new EnclaveReport(quote.Body).ReportData);
    }

    public static SgxPolicy Policy(AttestationCase one) => new()
    {
        MrEnclave = DcapCase.Text(one, "mrenclave"),
        MrSigner = DcapCase.Text(one, "mrsigner"),
        ProductId = one.Inputs.TryGetProperty("isvprodid", out JsonElement product) ? Requirement.Exactly(product.GetInt64()) : Requirement.Any<long>(),
        Svn = one.Inputs.TryGetProperty("min_isvsvn", out JsonElement svn) ? Requirement.AtLeast(svn.GetInt64()) : Requirement.Any<long>(),
        ConfigId = Requirement.Any<string>(),
        ConfigSvn = Requirement.Any<long>(),
        FamilyId = Requirement.Any<string>(),
        ExtendedProductId = Requirement.Any<string>(),
        Flags = BitRequirement.Any,
        Xfrm = BitRequirement.Any,
        AllowDebug = one.Flag("allow_debug", false),
        AllowProvisionKey = one.Flag("allow_provision_key", false),
        Tcb = DcapCase.Tcb(one),
    };
}
