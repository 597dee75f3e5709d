using System.Collections.Immutable;
using System.Globalization;

namespace Cloister.Attestation.Tpm;

/// <summary>Judges what a TPM's quote says: the key, the PCRs, the boot, time and firmware.</summary>
public sealed class TpmAppraiser : IAppraiser
{
    private static readonly ImmutableArray<PlannedCheck> Checks =
    [
        new("tpm.named", "policy"),
        new("policy.sha1", "report.signature"),
        new("ak_binding", "report.key"),
        new("pcr_selection", "report.attest.pcrSelect"),
        new("pcrs", "report.pcrs"),
        new("boot.secure_boot", "eventLog"),
        new("boot.applications", "eventLog"),
        new("boot.command_line", "eventLog"),
        new("boot.ima", "report.pcrs"),
        new("clock", "report.attest.clockInfo"),
        new("firmware_version", "report.attest.firmwareVersion"),
    ];

    /// <inheritdoc/>
    public TeeKind Kind => TeeKind.Tpm;

    /// <inheritdoc/>
    public ImmutableArray<PlannedCheck> Plan => Checks;

    /// <inheritdoc/>
    public ImmutableArray<Check> Judge(Claims claims, PackagePolicy policy, VerificationTime time)
    {
        if (claims.Kind != Kind) throw new ArgumentException($"These are claims of {claims.Kind}.", nameof(claims));
        var checks = new CheckList(Checks);
        if (!checks.Next("tpm.named", policy is TpmPolicy, Refusal.TeeNotNamed, "the policy does not name Tpm")) return checks.Finish();
        var wanted = (TpmPolicy)policy;
        _ = JudgeSha1(checks, claims, wanted)
            && JudgeKey(checks, claims, wanted.Key)
            && JudgePcrs(checks, claims, wanted)
            && JudgeBoot(checks, claims, wanted)
            && JudgeClock(checks, claims, wanted.Clock)
            && checks.Next("firmware_version", wanted.FirmwareVersion is Requirement<long>.Any || Number(claims, TpmFields.FirmwareVersion) is { } version && wanted.FirmwareVersion.Accepts(version), Refusal.TpmFirmware,
                "another firmware of the TPM than the policy accepts", Field(claims, TpmFields.FirmwareVersion), $"{wanted.FirmwareVersion}");
        return checks.Finish();
    }

    private static bool JudgeSha1(CheckList checks, Claims claims, TpmPolicy wanted)
    {
        const string sha1 = "sha1";
        string hash = Field(claims, TpmFields.SignatureHash), banks = Field(claims, TpmFields.Banks);
        string value = $"signature {hash}, banks {banks}";
        if (wanted.AllowSha1) return checks.Pass("policy.sha1", value);
        if (hash == sha1) return checks.Fail("policy.sha1", Refusal.TpmSha1, "signed with SHA-1, which proves nothing; AllowSha1 accepts it", value);
        return checks.Next("policy.sha1", banks != sha1 && wanted.Bank != TpmAlgorithm.Sha1, Refusal.TpmSha1, "only the SHA-1 bank counts, whose values can be made to collide; AllowSha1 accepts it", value);
    }

    private static bool JudgeKey(CheckList checks, Claims claims, TpmKeyPolicy wanted)
    {
        string subject = Field(claims, TpmFields.CertificateSubject), name = Field(claims, TpmFields.KeyName);
        switch (wanted)
        {
            case TpmKeyPolicy.Any:
                return checks.Pass("ak_binding", name.Length > 0 ? name : "a key without a name", "any");
            case TpmKeyPolicy.Named named:
                bool ordered = named.Name is Requirement<string>.AtLeast;
                return checks.Next("ak_binding", !ordered && name.Length > 0 && named.Name.Accepts(name), ordered ? Refusal.RequirementNotApplicable : Refusal.TpmKeyUnknown,
                    ordered ? "names have no order" : "signed by an attestation key that the policy does not name", name.Length > 0 ? name : "a key without a name", $"{named.Name}");
            case TpmKeyPolicy.Certified certified:
                if (subject.Length == 0)
                    return checks.Fail("ak_binding", Refusal.TpmKeyUnknown, claims.Fields.GetValueOrDefault(TpmFields.CertificateProblem) is { } problem ? $"the certificate does not vouch for the key: {problem}" : "no certificate vouches for the key");
                string project = Field(claims, TpmFields.GceProject);
                bool accepted = Unordered(certified.Subject) && certified.Subject.Accepts(subject) && Unordered(certified.Project) && certified.Project.Accepts(project);
                return checks.Next("ak_binding", accepted, Refusal.TpmKeyUnknown, "certified for another machine or project than the policy accepts", $"{subject}; project {project}", $"{certified.Subject}; project {certified.Project}");
            case TpmKeyPolicy.Endorsed { Unwanted: { } certificate } endorsed:
                return checks.Fail("ak_binding", Refusal.TpmEndorsementNotAccepted, "the key is in a genuine TPM, of another machine than the policy accepts", certificate, $"{endorsed.Certificates}");
            case TpmKeyPolicy.Endorsed:
                return checks.Fail("ak_binding", Refusal.TpmNotActivated, "the policy asks for a key that a certified TPM holds, and no credential activation showed that of this one", name.Length > 0 ? name : "a key without a name", "a key tied to an endorsement key");
            default:
                throw new ArgumentException($"{wanted.GetType().Name} cannot be judged.", nameof(wanted));
        }
    }

    private static bool JudgePcrs(CheckList checks, Claims claims, TpmPolicy wanted)
    {
        string bank = TpmHash.NameOf(wanted.Bank);
        int[] missing = [.. wanted.Pcrs.Keys.Where(pcr => !claims.Fields.ContainsKey(TpmFields.Pcr(wanted.Bank, pcr)))];
        if (!checks.Next("pcr_selection", missing.Length == 0, Refusal.TpmPcrSelection, $"the quote does not cover PCR {string.Join(", ", missing)} of {bank}", Field(claims, TpmFields.Banks), $"{bank}:{string.Join(',', wanted.Pcrs.Keys)}")) return false;
        int[] ordered = [.. wanted.Pcrs.Where(pcr => !Unordered(pcr.Value)).Select(pcr => pcr.Key)];
        if (ordered.Length > 0) return checks.Fail("pcrs", Refusal.RequirementNotApplicable, $"PCR {ordered[0]}: digests have no order", Value(ordered[0]), $"{wanted.Pcrs[ordered[0]]}");
        int[] differ = [.. wanted.Pcrs.Where(pcr => !pcr.Value.Accepts(Value(pcr.Key))).Select(pcr => pcr.Key)];
        if (differ.Length == 0) return checks.Pass("pcrs", $"{wanted.Pcrs.Count} PCRs of {bank}", wanted.Image?.ToString());
        string accepts = wanted.Image is { } image ? $"what {image} shows" : "what the policy accepts";
        return checks.Fail("pcrs", Refusal.MeasurementNotAccepted, $"{string.Join("; ", differ.Select(pcr => $"PCR {pcr}: {TpmPcrMeaning.Of(pcr)}"))}: not {accepts}",
            string.Join(", ", differ.Select(pcr => $"{pcr}:{Value(pcr)}")), string.Join(", ", differ.Select(pcr => $"{pcr}:{wanted.Pcrs[pcr]}")));

        string Value(int pcr) => Field(claims, TpmFields.Pcr(wanted.Bank, pcr));
    }

    private static bool JudgeBoot(CheckList checks, Claims claims, TpmPolicy wanted)
    {
        TpmBootPolicy boot = wanted.Boot;
        string? secureBoot = Boot(TpmFields.Boot.SecureBoot), applications = Boot(TpmFields.Boot.Applications), ima = Boot(TpmFields.Boot.Ima);
        string[] lines = [.. claims.Fields.Where(field => field.Key.StartsWith(TpmFields.OfBoot(wanted.Bank, TpmFields.Boot.CommandLine), StringComparison.Ordinal)).Select(field => field.Value)];
        string[] digests = applications is { Length: > 0 } ? applications.Split(',') : [];
        return checks.Next("boot.secure_boot", boot.SecureBoot is Requirement<bool>.Any || secureBoot is not null && boot.SecureBoot.Accepts(secureBoot == "true"),
                secureBoot is null ? Refusal.BootNotProven : Refusal.BootNotAccepted, secureBoot is null ? "the event log and PCR 7 do not prove whether Secure Boot was enforced" : "Secure Boot is not as the policy asks", secureBoot, $"{boot.SecureBoot}")
            && checks.Next("boot.applications", boot.Applications is Requirement<string>.Any || Unordered(boot.Applications) && digests.Length > 0 && digests.All(boot.Applications.Accepts),
                digests.Length == 0 ? Refusal.BootNotProven : Refusal.BootNotAccepted, digests.Length == 0 ? "the event log and PCR 4 do not prove what was started" : "a loader or kernel was started that the policy does not accept", applications, $"{boot.Applications}")
            && checks.Next("boot.command_line", boot.CommandLine is Requirement<string>.Any || Unordered(boot.CommandLine) && lines.Length > 0 && lines.All(boot.CommandLine.Accepts),
                lines.Length == 0 ? Refusal.BootNotProven : Refusal.BootNotAccepted, lines.Length == 0 ? "the event log and PCR 8 do not prove a kernel command line" : "another kernel command line than the policy accepts", string.Join(" | ", lines), $"{boot.CommandLine}")
            && checks.Next("boot.ima", boot.Ima is Requirement<string>.Any || Unordered(boot.Ima) && ima is not null && boot.Ima.Accepts(ima),
                ima is null ? Refusal.BootNotProven : Refusal.BootNotAccepted, ima is null ? "PCR 10 is not quoted, or nothing at hand leads to it" : "PCR 10 is not as the policy asks", ima, $"{boot.Ima}");

        string? Boot(string what) => claims.Fields.GetValueOrDefault(TpmFields.OfBoot(wanted.Bank, what));
    }

    private static bool JudgeClock(CheckList checks, Claims claims, TpmClockPolicy wanted)
    {
        long resets = Number(claims, TpmFields.ResetCount) ?? 0, restarts = Number(claims, TpmFields.RestartCount) ?? 0;
        string clock = Field(claims, TpmFields.Clock);
        bool safe = Field(claims, TpmFields.ClockSafe) == "true";
        string value = string.Create(CultureInfo.InvariantCulture, $"{clock} ms, reset {resets}, restart {restarts}, {(safe ? "safe" : "not safe")}");
        string? problem = !wanted.ResetCount.Accepts(resets) ? $"the reset count must be {wanted.ResetCount}: the machine was rebooted, or it is another"
            : !wanted.RestartCount.Accepts(restarts) ? $"the restart count must be {wanted.RestartCount}: the machine was suspended"
            : !(wanted.Milliseconds is Requirement<long>.Any || Number(claims, TpmFields.Clock) is { } milliseconds && wanted.Milliseconds.Accepts(milliseconds)) ? $"the time must be {wanted.Milliseconds}"
            : !wanted.Safe.Accepts(safe) ? $"whether the clock is safe must be {wanted.Safe}"
            : wanted.Milliseconds is Requirement<long>.AtLeast && !safe ? "the clock lost power without a shutdown and may have gone back, so that it is no lower bound"
            : null;
        return checks.Next("clock", problem is null, Refusal.TpmClock, problem ?? "", value);
    }

    private static bool Unordered(Requirement<string> requirement) => requirement is not Requirement<string>.AtLeast;

    private static string Field(Claims claims, string name) => claims.Fields.GetValueOrDefault(name, "");

    /// <summary>A number; null if it is greater than a policy can say.</summary>
    private static long? Number(Claims claims, string name) => long.TryParse(Field(claims, name), NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value : null;
}
