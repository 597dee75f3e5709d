using System.Collections.Immutable;
using System.Text;
using Cloister.Attestation;
using Cloister.Attestation.Tpm;

namespace Cloister.Tests.Tpm;

public sealed class TpmPolicyTests
{
    private const string Zero = "0000000000000000000000000000000000000000000000000000000000000000";

    private static readonly string Strict = $$$"""
        {"Tpm":{"Key":{"Name":"000b{{{Zero}}}"},"Bank":"sha256","Pcrs":{"4":"{{{Zero}}}","11":{"OneOf":["{{{Zero}}}"]},"7":{"Any":true}},
        "Boot":{"SecureBoot":true,"Applications":{"OneOf":["{{{Zero}}}"]},"CommandLine":"ro","Ima":{"OneOf":["none","boot-aggregate"]}},
        "Clock":{"ResetCount":3,"RestartCount":{"Any":true},"Milliseconds":{"AtLeast":5},"Safe":true},"FirmwareVersion":{"AtLeast":1},"Sha1":false}}
        """;

    [Fact]
    public void A_policy_is_read_and_written_back()
    {
        var policy = Assert.IsType<TpmPolicy>(Read(Strict).Value);
        Assert.Equal([4, 7, 11], policy.Pcrs.Keys);
        Assert.Equal(Requirement.Exactly(true), policy.Boot.SecureBoot);
        Assert.Equal(Requirement.AtLeast(5L), policy.Clock.Milliseconds);
        Assert.False(policy.AllowSha1);
        var again = Assert.IsType<TpmPolicy>(PolicyReader.Read(PolicyWriter.Write(policy)).Value);
        Assert.Equal(PolicyWriter.Write(policy), PolicyWriter.Write(again));
    }

    [Theory]
    [InlineData("\"Sha1\":false", "\"Sha1\":false,\"Debug\":true", Refusal.PolicyMemberUnknown)]
    [InlineData(",\"Sha1\":false", "", Refusal.PolicyMemberMissing)]
    [InlineData("\"Sha1\":false", "\"Sha1\":false,\"Sha1\":false", Refusal.PolicyMemberDuplicate)]
    [InlineData("\"Sha1\":false", "\"Sha1\":0", Refusal.PolicyMalformed)]
    [InlineData("sha256", "sha3", Refusal.PolicyMalformed)]
    [InlineData("\"7\":{\"Any\":true}", "\"24\":{\"Any\":true}", Refusal.PolicyMemberUnknown)]
    [InlineData("\"7\":{\"Any\":true}", "\"07\":{\"Any\":true}", Refusal.PolicyMemberUnknown)]
    [InlineData("\"7\":{\"Any\":true}", "\"4\":{\"Any\":true}", Refusal.PolicyMemberDuplicate)]
    [InlineData("\"7\":{\"Any\":true}", "\"7\":\"00\"", Refusal.PolicyDigestInvalid)]
    [InlineData("\"7\":{\"Any\":true}", "\"7\":{\"Any\":false}", Refusal.PolicyMalformed)]
    [InlineData("\"Name\":\"000b", "\"Name\":\"000B", Refusal.PolicyMalformed)]
    [InlineData("\"Name\":\"000b", "\"Name\":\"00b", Refusal.PolicyMalformed)]
    [InlineData("\"SecureBoot\":true", "\"SecureBoot\":{\"OneOf\":[true]}", Refusal.RequirementNotApplicable)]
    [InlineData("\"CommandLine\":\"ro\"", "\"CommandLine\":{\"AtLeast\":\"ro\"}", Refusal.RequirementNotApplicable)]
    [InlineData("[\"none\",", "[\"maybe\",", Refusal.PolicyMalformed)]
    [InlineData("\"ResetCount\":3", "\"ResetCount\":-3", Refusal.PolicyMalformed)]
    public void A_bad_policy_is_refused_by_its_number(string what, string with, Refusal expected)
    {
        Assert.Contains(what, Strict, StringComparison.Ordinal);
        Assert.Equal(expected, Read(Strict.Replace(what, with, StringComparison.Ordinal)).Refusal);
    }

    [Fact]
    public void A_policy_that_names_no_PCR_is_refused() => Assert.Equal(Refusal.PolicyEmpty, Read("""{"Tpm":{"Key":{"Any":true},"Bank":"sha256","Pcrs":{},"Boot":{"Any":true},"Clock":{"Any":true},"FirmwareVersion":{"Any":true},"Sha1":false}}""").Refusal);

    [Fact]
    public void Mutations_of_a_policy_give_a_refusal_or_one_that_can_be_written()
    {
        foreach (byte[] bytes in Mutations.Of(Encoding.UTF8.GetBytes(Strict), 3_000, seed: 41))
            PolicyReader.Fuzz(bytes);
    }

    public static TheoryData<string, string, Refusal> Unwanted() => new()
    {
        { "other name", "ak_binding", Refusal.TpmKeyUnknown },
        { "certificate", "ak_binding", Refusal.TpmKeyUnknown },
        { "PCR not quoted", "pcr_selection", Refusal.TpmPcrSelection },
        { "other bank", "pcr_selection", Refusal.TpmPcrSelection },
        { "other value", "pcrs", Refusal.MeasurementNotAccepted },
        { "ordered value", "pcrs", Refusal.RequirementNotApplicable },
        { "Secure Boot off", "boot.secure_boot", Refusal.BootNotAccepted },
        { "no log", "boot.secure_boot", Refusal.BootNotProven },
        { "other kernel", "boot.applications", Refusal.BootNotAccepted },
        { "no log for applications", "boot.applications", Refusal.BootNotProven },
        { "other command line", "boot.command_line", Refusal.BootNotAccepted },
        { "IMA list", "boot.ima", Refusal.BootNotAccepted },
        { "rebooted", "clock", Refusal.TpmClock },
        { "resumed", "clock", Refusal.TpmClock },
        { "earlier", "clock", Refusal.TpmClock },
        { "unsafe clock", "clock", Refusal.TpmClock },
        { "unsafe lower bound", "clock", Refusal.TpmClock },
        { "old firmware", "firmware_version", Refusal.TpmFirmware },
        { "SHA-1 bank in the policy", "policy.sha1", Refusal.TpmSha1 },
        { "another TEE's policy", "tpm.named", Refusal.TeeNotNamed },
    };

    [Theory, MemberData(nameof(Unwanted))]
    public void What_the_policy_does_not_accept_is_refused_by_its_check_and_number(string what, string check, Refusal refusal)
    {
        var tpm = new FakeTpm { Safe = (byte)(what.StartsWith("unsafe", StringComparison.Ordinal) ? 0 : 1), Selection = [(TpmAlgorithm.Sha256, what == "PCR not quoted" ? 0xFFFFEFu : 0xFFFFFF)] };
        byte[] log = tpm.Boot(TpmVerifierTests.Log());
        Claims claims = TpmVerifierTests.Prove(tpm.Quote(Enumerable.Range(1, 32).Select(i => (byte)i).ToArray(), what.StartsWith("no log", StringComparison.Ordinal) ? null : log)).Claims!;
        TpmPolicy wanted = Wanted(claims);
        var appraiser = new TpmAppraiser();
        if (what is not ("PCR not quoted" or "no log" or "no log for applications"))
            Assert.All(appraiser.Judge(claims, wanted with { Clock = TpmClockPolicy.Any }, VerificationTime.NoTimeCheck), made => Assert.Equal(Verdict.Passed, made.Verdict));
        PackagePolicy other = what switch
        {
            "other name" => wanted with { Key = new TpmKeyPolicy.Named(Requirement.Exactly("000b" + Zero)) },
            "certificate" => wanted with { Key = new TpmKeyPolicy.Certified(Requirement.Any<string>(), Requirement.Any<string>()) },
            "other bank" => wanted with { Bank = TpmAlgorithm.Sha384 },
            "other value" => wanted with { Pcrs = wanted.Pcrs.SetItem(4, Requirement.Exactly(Zero)) },
            "ordered value" => wanted with { Pcrs = wanted.Pcrs.SetItem(4, Requirement.AtLeast("00")) },
            "Secure Boot off" => wanted with { Boot = wanted.Boot with { SecureBoot = Requirement.Exactly(false) } },
            "other kernel" => wanted with { Boot = wanted.Boot with { Applications = Requirement.Exactly(TpmVerifierTests.Digest("loader")) } },
            "no log for applications" => wanted with { Boot = wanted.Boot with { SecureBoot = Requirement.Any<bool>() } },
            "other command line" => wanted with { Boot = wanted.Boot with { CommandLine = Requirement.Exactly("ro") } },
            "IMA list" => wanted with { Boot = wanted.Boot with { Ima = Requirement.Exactly("list") } },
            "rebooted" => wanted with { Clock = wanted.Clock with { ResetCount = Requirement.Exactly(2L) } },
            "resumed" => wanted with { Clock = wanted.Clock with { RestartCount = Requirement.Exactly(0L) } },
            "earlier" => wanted with { Clock = wanted.Clock with { Milliseconds = Requirement.AtLeast(5001L) } },
            "unsafe lower bound" => wanted with { Clock = TpmClockPolicy.Any with { Milliseconds = Requirement.AtLeast(5L) } },
            "old firmware" => wanted with { FirmwareVersion = Requirement.AtLeast(0x20240126L) },
            "SHA-1 bank in the policy" => wanted with { Bank = TpmAlgorithm.Sha1 },
            "another TEE's policy" => new UnsupportedPolicy(TeeKind.SevSnp),
            _ => wanted,
        };
        Check failed = TpmCorpusTests.FirstFailed(appraiser.Judge(claims, other, VerificationTime.NoTimeCheck))!;
        Assert.Equal((check, refusal), (failed.Id, failed.Refusal));
        Assert.NotEmpty(failed.Reason);
    }

    [Fact]
    public void Quotes_go_through_the_registry_like_all_evidence()
    {
        var tpm = new FakeTpm();
        byte[] log = tpm.Boot(TpmVerifierTests.Log());
        byte[] runtime = Sample.RuntimeData;
        Evidence quote = tpm.Quote(Sample.Binding.ReportData(runtime, []).AsSpan(0, 32), log) with { RuntimeData = runtime };
        var set = new EvidenceSet(quote, [], Sample.Binding);
        Claims claims = Sample.Appraise(set, TpmVerifierTests.Policy()).RequireAccepted();
        Sample.Appraise(set, Wanted(claims)).RequireAccepted();
        Assert.Equal(Refusal.ReportDataMismatch, Sample.RefusalOf(Sample.Appraise(set with { Primary = quote with { RuntimeData = new byte[1] } }, Wanted(claims))));
        Assert.Equal(Refusal.TeeNotNamed, Sample.RefusalOf(Sample.Appraise(set, Sample.Policy)));
        AttestationResult result = Sample.Registry.Appraise(EvidenceCodec.Encode(set), Sample.Binding, PolicyReader.Read(PolicyWriter.Write(Wanted(claims))).Value, Sample.Time);
        Assert.All(result.Checks, check => Assert.Equal(Verdict.Passed, check.Verdict));
    }

    [Fact]
    public void Clocks_follow_one_another()
    {
        var earlier = new TpmClockInfo(1000, 5, 2, true);
        Assert.True((earlier with { Milliseconds = 1001 }).CanFollow(earlier));
        Assert.False((earlier with { Milliseconds = 999 }).CanFollow(earlier));
        Assert.True((earlier with { RestartCount = 3 }).CanFollow(earlier));
        Assert.False((earlier with { RestartCount = 1, Milliseconds = 2000 }).CanFollow(earlier));
        Assert.True((earlier with { ResetCount = 6, RestartCount = 0, Milliseconds = 10, Safe = false }).CanFollow(earlier));
        Assert.False((earlier with { ResetCount = 6, RestartCount = 0, Milliseconds = 10 }).CanFollow(earlier));
        Assert.False((earlier with { ResetCount = 4, Milliseconds = 2000 }).CanFollow(earlier));
        Assert.True(earlier.IsSameBoot(earlier with { Milliseconds = 2000 }));
        Assert.False(earlier.IsSameBoot(earlier with { RestartCount = 3 }));
    }

    private static TpmPolicy Wanted(Claims claims) => new(
        new TpmKeyPolicy.Named(Requirement.Exactly(claims.Fields[TpmFields.KeyName])),
        TpmAlgorithm.Sha256,
        ImmutableSortedDictionary<int, Requirement<string>>.Empty.Add(4, Requirement.Exactly(claims.Fields.GetValueOrDefault("pcr.sha256.4", Zero))).Add(11, Requirement.Any<string>()),
        new TpmBootPolicy(
            Requirement.Exactly(true),
            Requirement.OneOf(TpmVerifierTests.Digest("loader"), TpmVerifierTests.Digest("kernel")),
            Requirement.Exactly("root=/dev/vda ro"),
            Requirement.Exactly("none")),
        new TpmClockPolicy(Requirement.Exactly(3L), Requirement.Exactly(1L), Requirement.AtLeast(4000L), Requirement.Exactly(true)),
        Requirement.AtLeast(0x20240000L));

    private static Outcome<PackagePolicy> Read(string json) => PolicyReader.Read(Encoding.UTF8.GetBytes(json));
}
