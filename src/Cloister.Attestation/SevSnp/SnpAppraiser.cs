using System.Collections.Immutable;
using System.Globalization;

namespace Cloister.Attestation.SevSnp;

/// <summary>Judges what proven SEV-SNP evidence says against a policy. Compares fields, never dates or signatures.</summary>
public sealed class SnpAppraiser : IAppraiser
{
    // Bits of the guest's policy that have a check of their own, or are always one.
    private const ulong NamedPolicy = (1UL << 20) - 1;

    private static readonly ImmutableArray<PlannedCheck> Checks =
    [
        new("policy.debug", "report.policy"),
        new("policy.migration", "report.policy"),
        new("policy.smt", "report.policy"),
        new("policy.guest", "report.policy"),
        new("policy.abi", "report.policy"),
        new("vmpl", "report.vmpl"),
        new("report_data", "report.reportData"),
        new("measurement", "report.measurement"),
        new("host_data", "report.hostData"),
        new("tcb.minimum", "report.reportedTcb"),
        new("tcb.provisional", "report.committedTcb"),
        new("guest_svn", "report.guestSvn"),
        new("mitigation", "report.currentMitigations"),
        new("id_key", "report.idKeyDigest"),
        new("author_key", "report.authorKeyDigest"),
        new("platform", "report.cpuid"),
        new("provider", "endorsements.vek"),
        new("chip", "report.chipId"),
        new("revocation", "endorsements.crl"),
        new("family_id", "report.familyId"),
        new("image_id", "report.imageId"),
        new("firmware", "report.committedFirmware"),
        new("platform_info", "report.platformInfo"),
    ];

    /// <inheritdoc/>
    public TeeKind Kind => TeeKind.SevSnp;

    /// <inheritdoc/>
    public ImmutableArray<PlannedCheck> Plan => Checks;

    /// <inheritdoc/>
    public ImmutableArray<Check> Judge(Claims claims, PackagePolicy policy, VerificationTime time)
    {
        if (claims.Kind != Kind) throw new ArgumentException($"These are claims of {claims.Kind}.", nameof(claims));
        if (policy is not SnpPolicy wanted) return [Check.Fail("policy.debug", "policy", Refusal.TeeNotNamed, "this is not a policy for SEV-SNP"), .. CheckList.NotReached(Checks)[1..]];
        var checks = new CheckList(Checks);
        _ = JudgeGuestPolicy(checks, claims, wanted) && JudgeGuest(checks, claims, wanted) && JudgeTcb(checks, claims, wanted) && JudgeKeys(checks, claims, wanted) && JudgePlatform(checks, claims, wanted);
        return checks.Finish();
    }

    private static bool JudgeGuestPolicy(CheckList checks, Claims claims, SnpPolicy wanted)
    {
        string stated = Field(claims, SnpFields.GuestPolicy);
        ulong bits = Bits(stated);
        var abi = new Version((int)(bits >> 8 & 0xFF), (int)(bits & 0xFF));
        bool Has(SnpGuestPolicyBits bit) => (bits & (ulong)bit) != 0;
        return Allowed(checks, "policy.debug", wanted.AllowDebug, Has(SnpGuestPolicyBits.DebugAllowed), stated, Refusal.SnpDebugNotAccepted, "the guest's policy lets the host debug it, that is read all of its memory")
            && Allowed(checks, "policy.migration", wanted.AllowMigrationAgent, Has(SnpGuestPolicyBits.MigrationAgentAllowed), stated, Refusal.SnpMigrationNotAccepted, "the guest's policy lets a migration agent in")
            && Allowed(checks, "policy.smt", wanted.AllowSmt, Has(SnpGuestPolicyBits.SmtAllowed), stated, Refusal.SnpSmtNotAccepted, "the guest's policy lets simultaneous multithreading be on")
            && checks.Next("policy.guest", wanted.GuestPolicy.Accepts(bits & ~NamedPolicy), Refusal.SnpGuestPolicyNotAccepted, "the guest's policy has other bits than are accepted", stated, $"{wanted.GuestPolicy}")
            && Value(checks, "policy.abi", wanted.Abi, abi, Refusal.SnpGuestPolicyNotAccepted, "the guest's policy demands another firmware interface");
    }

    private static bool JudgeGuest(CheckList checks, Claims claims, SnpPolicy wanted) =>
        Value(checks, "vmpl", wanted.Vmpl, Number(claims, SnpFields.Vmpl), Refusal.SnpVmplNotAccepted, "the report was asked for at another privilege level")
            && Text(checks, "report_data", wanted.ReportData, Field(claims, SnpFields.ReportData), Refusal.ReportDataMismatch, "the report was made for other report data: it is old, was replayed, or belongs to another key")
            && Text(checks, "measurement", wanted.Measurement, claims.Measurement, Refusal.MeasurementNotAccepted, "another image than the policy accepts, or the image was changed")
            && Text(checks, "host_data", wanted.HostData, Field(claims, SnpFields.HostData), Refusal.SnpHostDataNotAccepted, "the guest was launched with other host data");

    private static bool JudgeTcb(CheckList checks, Claims claims, SnpPolicy wanted)
    {
        string reported = Field(claims, SnpFields.ReportedTcb), committed = Field(claims, SnpFields.CommittedTcb), launch = Field(claims, SnpFields.LaunchTcb), current = Field(claims, SnpFields.CurrentTcb);
        (string Name, string Stated, SnpTcbMinimum Wanted)[] minima = [("reported", reported, wanted.ReportedTcb), ("committed", committed, wanted.CommittedTcb), ("launch", launch, wanted.LaunchTcb)];
        string expected = string.Join("; ", minima.Where(one => one.Wanted.Minimum is not null).Select(one => $"{one.Name} {one.Wanted}"));
        foreach ((string name, string stated, SnpTcbMinimum minimum) in minima)
            if (!SnpTcb.TryParse(stated, out SnpTcb tcb) || !minimum.Accepts(tcb)) return checks.Fail("tcb.minimum", Refusal.SnpTcbBelowMinimum, $"the {name} TCB is below the minimum in some component", stated, $"{minimum}");
        checks.Pass("tcb.minimum", reported, expected);

        string runs = $"{current} firmware {Field(claims, SnpFields.CurrentFirmware)}", holds = $"{committed} firmware {Field(claims, SnpFields.CommittedFirmware)}";
        return Allowed(checks, "tcb.provisional", wanted.AllowProvisionalFirmware, runs != holds, $"current {runs}, committed {holds}", Refusal.SnpFirmwareProvisional, "what runs is not committed: the host may roll it back")
            && Value(checks, "guest_svn", wanted.GuestSvn, Number(claims, SnpFields.GuestSvn), Refusal.SnpGuestSvnNotAccepted, "the image's security version is not accepted")
            && JudgeMitigations(checks, claims, wanted);
    }

    private static bool JudgeMitigations(CheckList checks, Claims claims, SnpPolicy wanted)
    {
        string? stated = claims.Fields.GetValueOrDefault(SnpFields.CurrentMitigations);
        if (stated is null) return checks.Next("mitigation", wanted.Mitigations == BitRequirement.Any, Refusal.SnpMitigationMissing, "a report before version 5 does not state its mitigations", "not stated", $"{wanted.Mitigations}");
        return checks.Next("mitigation", wanted.Mitigations.Accepts(Bits(stated)), Refusal.SnpMitigationMissing, "a mitigation is not as the policy wants it", stated, $"{wanted.Mitigations}");
    }

    private static bool JudgeKeys(CheckList checks, Claims claims, SnpPolicy wanted)
    {
        string author = Field(claims, SnpFields.AuthorKeyDigest);
        if (!Text(checks, "id_key", wanted.IdKeyDigest, Field(claims, SnpFields.IdKeyDigest), Refusal.SnpIdKeyNotAccepted, "the image was not signed by a key that the policy names")) return false;
        bool hasAuthor = Field(claims, SnpFields.AuthorKeyEnabled) == "true", wantsAuthor = wanted.AuthorKeyDigest is not Requirement<string>.Any;
        if (!hasAuthor && (wanted.RequireAuthorKey || wantsAuthor)) return checks.Fail("author_key", Refusal.SnpAuthorKeyNotAccepted, "no author's key vouches for the image", "none", $"{wanted.AuthorKeyDigest}");
        return Text(checks, "author_key", wanted.AuthorKeyDigest, author, Refusal.SnpAuthorKeyNotAccepted, "the author's key is not one that the policy names");
    }

    private static bool JudgePlatform(CheckList checks, Claims claims, SnpPolicy wanted)
    {
        string product = Field(claims, SnpFields.Product), key = Field(claims, SnpFields.SigningKey), info = Field(claims, SnpFields.PlatformInfo);
        return checks.Next("platform", wanted.Product.Accepts(product) && wanted.SigningKey.Accepts(key), Refusal.SnpPlatformNotAccepted, "another product or kind of signing key than is accepted", $"{product}, {key}", $"{wanted.Product}, {wanted.SigningKey}")
            && Text(checks, "provider", wanted.Provider, claims.Fields.GetValueOrDefault(SnpFields.Provider, ""), Refusal.SnpPlatformNotAccepted, "another provider than is accepted")
            && Text(checks, "chip", wanted.ChipId, Field(claims, SnpFields.ChipId), Refusal.SnpPlatformNotAccepted, "another chip than is accepted, or the host masks which it is")
            && checks.Next("revocation", !wanted.RequireRevocationCheck || Field(claims, SnpFields.Revocation) == "checked", Refusal.SnpRevocationNotChecked, "no revocation list was looked at", Field(claims, SnpFields.Revocation))
            && Text(checks, "family_id", wanted.FamilyId, Field(claims, SnpFields.FamilyId), Refusal.SnpImageIdNotAccepted, "another family id than is accepted")
            && Text(checks, "image_id", wanted.ImageId, Field(claims, SnpFields.ImageId), Refusal.SnpImageIdNotAccepted, "another image id than is accepted")
            && Value(checks, "firmware", wanted.Firmware, Version.TryParse(Field(claims, SnpFields.CommittedFirmware), out Version? version) ? version : new Version(0, 0, 0), Refusal.SnpFirmwareNotAccepted, "another firmware version than is accepted")
            && checks.Next("platform_info", wanted.PlatformInfo.Accepts(Bits(info)), Refusal.SnpPlatformInfoNotAccepted, "the platform has other features switched on than are accepted", info, $"{wanted.PlatformInfo}");
    }

    // Digests have no order: a policy that gives one a minimum refuses everything, as a greater digest is no better one.
    private static bool Text(CheckList checks, string id, Requirement<string> wanted, string stated, Refusal refusal, string reason) => wanted is Requirement<string>.AtLeast
        ? checks.Fail(id, Refusal.RequirementNotApplicable, "this field has no order", stated, $"{wanted}")
        : checks.Next(id, wanted.Accepts(stated), refusal, reason, stated, $"{wanted}");

    private static bool Value<T>(CheckList checks, string id, Requirement<T> wanted, T stated, Refusal refusal, string reason)
        where T : IComparable<T>, IEquatable<T> => checks.Next(id, wanted.Accepts(stated), refusal, reason, $"{stated}", $"{wanted}");

    private static bool Allowed(CheckList checks, string id, bool allowed, bool stated, string shown, Refusal refusal, string reason) => checks.Next(id, allowed || !stated, refusal, reason, shown, allowed ? "allowed" : "not allowed");

    private static string Field(Claims claims, string name) => claims.Fields.GetValueOrDefault(name, "");

    private static long Number(Claims claims, string name) => long.TryParse(Field(claims, name), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : -1;

    private static ulong Bits(string text) =>
        text.StartsWith("0x", StringComparison.Ordinal) && ulong.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong bits) ? bits : ulong.MaxValue;
}
