using System.Collections.Immutable;
using Cloister.Attestation.Dcap;

namespace Cloister.Attestation.Tdx;

/// <summary>Judges a trust domain's claims: platform, debug, attributes, service trust domains, measurements.</summary>
public sealed class TdxAppraiser : IAppraiser
{
    private static readonly string NoServiceTd = new('0', 96);

    private static readonly ImmutableArray<PlannedCheck> Checks =
    [
        new("policy.named", "policy"),
        .. TcbAppraiser.Plan,
        new("policy.debug", "report." + TdxFields.Attributes),
        new("policy.td_attributes", "report." + TdxFields.Attributes),
        new("policy.td_attributes", "report." + TdxFields.Xfam),
        new("policy.service_td", "report." + TdxFields.MrServiceTd),
        .. Measured.Select(one => new PlannedCheck("measurement", "report." + one.Name)),
        new("policy.trailing", "report"),
    ];

    /// <inheritdoc/>
    public TeeKind Kind => TeeKind.Tdx;

    /// <inheritdoc/>
    public ImmutableArray<PlannedCheck> Plan => Checks;

    private static ImmutableArray<(string Name, Func<TdxPolicy, Requirement<string>> Wanted, string Reason)> Measured =>
    [
        (TdxFields.MrTd, policy => policy.MrTd, "another firmware or initial content than the policy accepts"),
        (TdxFields.MrSeam, policy => policy.MrSeam, "another TDX module than the policy accepts"),
        (TdxFields.MrConfigId, policy => policy.MrConfigId, "launched with another configuration than the policy accepts"),
        (TdxFields.MrOwner, policy => policy.MrOwner, "launched for another owner than the policy accepts"),
        (TdxFields.MrOwnerConfig, policy => policy.MrOwnerConfig, "launched with another configuration of its owner than the policy accepts"),
        (TdxFields.Rtmr(0), policy => policy.Rtmr0, "another firmware configuration than the policy accepts"),
        (TdxFields.Rtmr(1), policy => policy.Rtmr1, "another kernel or loader than the policy accepts"),
        (TdxFields.Rtmr(2), policy => policy.Rtmr2, "another command line or initial file system than the policy accepts"),
        (TdxFields.Rtmr(3), policy => policy.Rtmr3, "other events at run time than the policy accepts"),
    ];

    /// <inheritdoc/>
    public ImmutableArray<Check> Judge(Claims claims, PackagePolicy policy, VerificationTime time)
    {
        if (claims.Kind != Kind) throw new ArgumentException($"These are claims of {claims.Kind}.", nameof(claims));
        var checks = new CheckList(Checks);
        if (checks.Next("policy.named", policy is TdxPolicy, Refusal.TeeNotNamed, "the policy does not name Tdx"))
            _ = Judge(checks, claims, (TdxPolicy)policy, time);
        return checks.Finish();
    }

    private static bool Judge(CheckList checks, Claims claims, TdxPolicy policy, VerificationTime time)
    {
        if (!TcbAppraiser.Judge(checks, claims, policy.Tcb, time)) return false;
        ulong attributes = TcbAppraiser.Bits(claims, TdxFields.Attributes), xfam = TcbAppraiser.Bits(claims, TdxFields.Xfam);
        string debug = $"0x{attributes & TdReport.DebugBits:x2}", bits = $"0x{attributes:x16}";
        if (!checks.Next("policy.debug", policy.AllowDebug || (attributes & TdReport.DebugBits) == 0, Refusal.DebugNotAccepted, "the trust domain runs under debug: the host can read and change it", debug, policy.AllowDebug ? "any" : "0x00")
            || !checks.Next("policy.td_attributes", policy.Attributes.Accepts((attributes & ~TdReport.DebugBits) | (policy.Attributes.Required & TdReport.DebugBits)), Refusal.AttributesNotAccepted, "other attributes than the policy accepts", bits, $"{policy.Attributes}")
            || !checks.Next("policy.td_attributes", policy.Xfam.Accepts(xfam), Refusal.AttributesNotAccepted, "other processor features than the policy accepts", $"0x{xfam:x16}", $"{policy.Xfam}"))
            return false;
        string service = claims.Fields.GetValueOrDefault(TdxFields.MrServiceTd, NoServiceTd);
        if (!TcbAppraiser.Compare(checks, "policy.service_td", service, policy.MrServiceTd, Refusal.ServiceTdNotAccepted, "a service trust domain is bound that the policy does not accept")) return false;
        foreach ((string name, Func<TdxPolicy, Requirement<string>> wanted, string reason) in Measured)
            if (!TcbAppraiser.Compare(checks, "measurement", TcbAppraiser.Field(claims, name), wanted(policy), Refusal.MeasurementNotAccepted, reason)) return false;
        return TcbAppraiser.Trailing(checks, claims, policy.Tcb);
    }
}
