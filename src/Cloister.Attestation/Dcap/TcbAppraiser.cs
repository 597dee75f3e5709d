using System.Collections.Immutable;
using System.Globalization;

namespace Cloister.Attestation.Dcap;

/// <summary>Judges what TDX and SGX share: the platform's state, and fields compared one by one.</summary>
internal static class TcbAppraiser
{
    /// <summary>The checks of <see cref="Judge"/>, in order.</summary>
    public static ImmutableArray<PlannedCheck> Plan { get; } =
    [
        new("collateral.rollback", "report." + DcapFields.EvaluationDataNumber),
        new("tcb_level.none", "report." + DcapFields.PlatformTcb),
        new("tcb_status", "report." + DcapFields.TcbStatus),
        new("policy.advisory", "report." + DcapFields.Advisories),
        new("policy.platform", "report." + DcapFields.DynamicPlatform),
    ];

    public static bool Judge(CheckList checks, Claims claims, TcbPolicy policy, VerificationTime time)
    {
        TcbStatus status = TcbStatusText.OfName(Field(claims, DcapFields.TcbStatus)) ?? TcbStatus.Unrecognized;
        bool signatureOnly = status == TcbStatus.NotEvaluated && policy.Statuses.Contains(TcbStatus.NotEvaluated);
        return Rollback(checks, claims, policy, signatureOnly)
            && checks.Next("tcb_level.none", signatureOnly || status == TcbStatus.NotEvaluated || Field(claims, DcapFields.TcbLevelFound) == "true", Refusal.TcbLevelNotFound,
                "the platform is below every TCB level that Intel lists", Field(claims, DcapFields.PlatformTcb))
            && Status(checks, claims, policy, status, time)
            && Advisories(checks, claims, policy)
            && Platform(checks, claims, policy);
    }

    /// <summary>Compares one field. A digest has no order.</summary>
    public static bool Compare(CheckList checks, string id, string value, Requirement<string> wanted, Refusal refusal, string reason) => wanted is Requirement<string>.AtLeast
        ? checks.Fail(id, Refusal.RequirementNotApplicable, "digests have no order", value, $"{wanted}")
        : checks.Next(id, wanted.Accepts(value), refusal, reason, value, $"{wanted}");

    public static bool Compare(CheckList checks, string id, string value, Requirement<long> wanted, Refusal refusal, string reason) =>
        checks.Next(id, long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && wanted.Accepts(number), refusal, reason, value, $"{wanted}");

    public static string Field(Claims claims, string name) => claims.Fields.GetValueOrDefault(name, "");

    public static ulong Bits(Claims claims, string name) => ulong.Parse(Field(claims, name), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    /// <summary>Whether what follows the quote is accepted.</summary>
    public static bool Trailing(CheckList checks, Claims claims, TcbPolicy policy)
    {
        string found = Field(claims, DcapFields.Trailing);
        bool accepted = policy.Trailing switch
        {
            TrailingBytes.Any => true,
            TrailingBytes.Zeros => found is "none" or "zeros",
            _ => found == "none",
        };
        return checks.Next("policy.trailing", accepted, Refusal.TrailingNotAccepted, "bytes follow the quote that nobody signed", found, $"{policy.Trailing}");
    }

    private static bool Rollback(CheckList checks, Claims claims, TcbPolicy policy, bool signatureOnly)
    {
        if (policy.EvaluationDataNumber is Requirement<long>.Any || signatureOnly) return checks.Pass("collateral.rollback", Field(claims, DcapFields.EvaluationDataNumber), $"{policy.EvaluationDataNumber}");
        return Compare(checks, "collateral.rollback", Field(claims, DcapFields.EvaluationDataNumber), policy.EvaluationDataNumber, Refusal.CollateralTooOld,
            "the collateral is of another TCB recovery than the policy asks for: fetch it again, or somebody holds back the newer one");
    }

    private static bool Status(CheckList checks, Claims claims, TcbPolicy policy, TcbStatus status, VerificationTime time)
    {
        string accepted = string.Join(", ", policy.Statuses.Select(TcbStatusText.Name));
        string name = Field(claims, DcapFields.TcbStatus);
        if (policy.Statuses.Contains(status)) return checks.Pass("tcb_status", name, accepted);
        if (InGrace(claims, policy, status, time)) return checks.Pass("tcb_status", name, $"{accepted}, or out of date for at most {policy.GraceDays} days");
        string reason = status == TcbStatus.NotEvaluated ? "only signatures were checked, and the policy asks for the platform's state" : Parts(claims);
        return checks.Fail("tcb_status", Refusal.TcbStatusNotAccepted, reason, name, accepted);
    }

    private static bool InGrace(Claims claims, TcbPolicy policy, TcbStatus status, VerificationTime time)
    {
        // What is open since when is unknown without a clock, so there is no grace then.
        if (policy.GraceDays == 0 || time.Instant is not { } now) return false;
        TcbStatus? without = status switch
        {
            TcbStatus.OutOfDate or TcbStatus.TDRelaunchAdvised => TcbStatus.UpToDate,
            TcbStatus.OutOfDateConfigurationNeeded or TcbStatus.TDRelaunchAdvisedConfigurationNeeded => TcbStatus.ConfigurationNeeded,
            _ => null,
        };
        return without is { } needed && policy.Statuses.Contains(needed)
            && DateTimeOffset.TryParseExact(Field(claims, DcapFields.TcbDate), DcapFields.MomentFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset date)
            && now <= date.AddDays(policy.GraceDays);
    }

    private static string Parts(Claims claims)
    {
        string module = Field(claims, DcapFields.ModuleStatus), date = Field(claims, DcapFields.TcbDate);
        return $"the platform is {Field(claims, DcapFields.PlatformStatus)}{(module.Length > 0 ? $", its TDX module {module}" : "")}, its quoting enclave {Field(claims, DcapFields.QeStatus)}{(date.Length > 0 ? $", as of {date}" : "")}";
    }

    private static bool Advisories(CheckList checks, Claims claims, TcbPolicy policy)
    {
        string stated = Field(claims, DcapFields.Advisories);
        if (policy.Advisories is not { } accepted) return checks.Pass("policy.advisory", stated, "any");
        string[] open = [.. stated.Split(',', StringSplitOptions.RemoveEmptyEntries).Where(one => !accepted.Contains(one))];
        return checks.Next("policy.advisory", open.Length == 0, Refusal.AdvisoryNotAccepted, $"not accepted: {string.Join(", ", open)}", stated, string.Join(", ", accepted));
    }

    private static bool Platform(CheckList checks, Claims claims, TcbPolicy policy)
    {
        ReadOnlySpan<(string Name, bool Allowed, string What)> flags =
        [
            (DcapFields.DynamicPlatform, policy.AllowDynamicPlatform, "processors may be added to the platform"),
            (DcapFields.CachedKeys, policy.AllowCachedKeys, "Intel's service caches the platform's keys"),
            (DcapFields.Smt, policy.AllowSmt, "simultaneous multithreading is on"),
        ];
        foreach ((string name, bool allowed, string what) in flags)
            if (!allowed && Field(claims, name) is not "false" and var value)
                return checks.Fail("policy.platform", Refusal.PlatformNotAccepted, value == "true" ? what : $"the platform does not say whether {what}", $"{name}: {value}", $"{name}: false");
        return checks.Pass("policy.platform");
    }
}
