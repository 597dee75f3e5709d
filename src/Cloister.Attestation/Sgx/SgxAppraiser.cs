using System.Collections.Immutable;
using Cloister.Attestation.Dcap;

namespace Cloister.Attestation.Sgx;

/// <summary>Judges an enclave's claims: platform, debug, attributes, identity.</summary>
public sealed class SgxAppraiser : IAppraiser
{
    private const ulong JudgedApart = EnclaveReport.DebugFlag | EnclaveReport.ProvisionKeyFlag;

    private static readonly ImmutableArray<PlannedCheck> Checks =
    [
        new("policy.named", "policy"),
        .. TcbAppraiser.Plan,
        new("policy.debug", "report." + SgxFields.Flags),
        new("policy.attributes", "report." + SgxFields.Flags),
        new("policy.attributes", "report." + SgxFields.Xfrm),
        new("measurement", "report." + SgxFields.MrEnclave),
        new("measurement", "report." + SgxFields.MrSigner),
        new("measurement", "report." + SgxFields.ProductId),
        new("measurement", "report." + SgxFields.Svn),
        new("measurement", "report." + SgxFields.ConfigId),
        new("measurement", "report." + SgxFields.ConfigSvn),
        new("measurement", "report." + SgxFields.FamilyId),
        new("measurement", "report." + SgxFields.ExtendedProductId),
        new("policy.trailing", "report"),
    ];

    /// <inheritdoc/>
    public TeeKind Kind => TeeKind.Sgx;

    /// <inheritdoc/>
    public ImmutableArray<PlannedCheck> Plan => Checks;

    /// <inheritdoc/>
    public ImmutableArray<Check> Judge(Claims claims, PackagePolicy policy, VerificationTime time)
    {
        if (claims.Kind != Kind) throw new ArgumentException($"These are claims of {claims.Kind}.", nameof(claims));
        var checks = new CheckList(Checks);
        if (checks.Next("policy.named", policy is SgxPolicy, Refusal.TeeNotNamed, "the policy does not name Sgx"))
            _ = Judge(checks, claims, (SgxPolicy)policy, time);
        return checks.Finish();
    }

    private static bool Judge(CheckList checks, Claims claims, SgxPolicy policy, VerificationTime time)
    {
        if (!TcbAppraiser.Judge(checks, claims, policy.Tcb, time)) return false;
        ulong flags = TcbAppraiser.Bits(claims, SgxFields.Flags), xfrm = TcbAppraiser.Bits(claims, SgxFields.Xfrm);
        bool debug = (flags & EnclaveReport.DebugFlag) != 0, provision = (flags & EnclaveReport.ProvisionKeyFlag) != 0;
        ulong rest = (flags & ~JudgedApart) | (policy.Flags.Required & JudgedApart);
        string bits = $"0x{flags:x16}";
        return checks.Next("policy.debug", policy.AllowDebug || !debug, Refusal.DebugNotAccepted, "the enclave runs under debug: the host can read and change it", bits)
            && (provision && !policy.AllowProvisionKey
                ? checks.Fail("policy.attributes", Refusal.AttributesNotAccepted, "the enclave reaches the platform's provisioning key", bits)
                : checks.Next("policy.attributes", policy.Flags.Accepts(rest), Refusal.AttributesNotAccepted, "other flags than the policy accepts", bits, $"{policy.Flags}"))
            && checks.Next("policy.attributes", policy.Xfrm.Accepts(xfrm), Refusal.AttributesNotAccepted, "other processor features than the policy accepts", $"0x{xfrm:x16}", $"{policy.Xfrm}")
            && Same(SgxFields.MrEnclave, policy.MrEnclave, "another enclave than the policy accepts")
            && Same(SgxFields.MrSigner, policy.MrSigner, "signed by another than the policy accepts")
            && Number(SgxFields.ProductId, policy.ProductId, "another product of this signer than the policy accepts")
            && Number(SgxFields.Svn, policy.Svn, "a security version that the policy does not accept")
            && Same(SgxFields.ConfigId, policy.ConfigId, "launched with another configuration than the policy accepts")
            && Number(SgxFields.ConfigSvn, policy.ConfigSvn, "a configuration's security version that the policy does not accept")
            && Same(SgxFields.FamilyId, policy.FamilyId, "another product family than the policy accepts")
            && Same(SgxFields.ExtendedProductId, policy.ExtendedProductId, "another product than the policy accepts")
            && TcbAppraiser.Trailing(checks, claims, policy.Tcb);

        bool Same(string field, Requirement<string> wanted, string reason) => TcbAppraiser.Compare(checks, "measurement", TcbAppraiser.Field(claims, field), wanted, Refusal.MeasurementNotAccepted, reason);
        bool Number(string field, Requirement<long> wanted, string reason) => TcbAppraiser.Compare(checks, "measurement", TcbAppraiser.Field(claims, field), wanted, Refusal.MeasurementNotAccepted, reason);
    }
}
