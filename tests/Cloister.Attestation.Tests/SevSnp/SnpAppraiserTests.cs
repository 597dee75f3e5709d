using System.Buffers.Binary;
using System.Text;
using Cloister.Attestation;
using Cloister.Attestation.SevSnp;

namespace Cloister.Tests.SevSnp;

/// <summary>Proven claims against policies, and the whole way from evidence to a result.</summary>
public sealed class SnpAppraiserTests
{
    private static readonly FakeChip Chip = FakeChip.Of(SnpProduct.Turin);
    private static readonly VerifierRegistry Registry = new([new SnpVerifier()], [new SnpAppraiser()], Chip.Anchors());

    /// <summary>Accepts the chip's report and, where a requirement can be stated, nothing else.</summary>
    private static SnpPolicy Strict { get; } = new()
    {
        AllowDebug = false,
        AllowMigrationAgent = false,
        AllowSmt = true,
        GuestPolicy = BitRequirement.Exactly(0),
        Abi = Requirement.AtLeast(new Version(1, 51)),
        Vmpl = Requirement.Exactly(0L),
        ReportData = Requirement.Any<string>(),
        Measurement = Requirement.Exactly(Hex(SnpLayout.MeasurementAt, 48)),
        HostData = Requirement.Exactly(Hex(SnpLayout.HostDataAt, 32)),
        ReportedTcb = SnpTcbMinimum.AtLeast(FakeChip.Tcb),
        CommittedTcb = SnpTcbMinimum.AtLeast(FakeChip.Tcb),
        LaunchTcb = SnpTcbMinimum.AtLeast(FakeChip.Tcb),
        AllowProvisionalFirmware = false,
        Firmware = Requirement.AtLeast(new Version(1, 55, 40)),
        GuestSvn = Requirement.AtLeast(7L),
        Mitigations = new BitRequirement(0x3F, ulong.MaxValue),
        IdKeyDigest = Requirement.Exactly(new string('0', 96)),
        RequireAuthorKey = false,
        AuthorKeyDigest = Requirement.Any<string>(),
        Product = Requirement.Exactly("Turin"),
        SigningKey = Requirement.Exactly("VCEK"),
        Provider = Requirement.Exactly(""),
        ChipId = Requirement.Exactly(Hex(SnpLayout.ChipIdAt, 64)),
        RequireRevocationCheck = true,
        FamilyId = Requirement.Exactly(new string('0', 32)),
        ImageId = Requirement.Exactly(new string('0', 32)),
        PlatformInfo = new BitRequirement((ulong)SnpPlatformBits.AliasCheckComplete, ulong.MaxValue),
    };

    [Fact]
    public void Fresh_evidence_of_the_wanted_image_is_accepted_end_to_end()
    {
        AttestationResult result = Appraise(_ => { });
        Assert.Equal(TeeKind.SevSnp, result.RequireAccepted().Kind);
        Assert.False(result.Simulated);
        Assert.All(result.Checks, check => Assert.Equal(Verdict.Passed, check.Verdict));
        Assert.Contains(result.Checks, check => check.Field == "evidence[0].report.signature");
    }

    [Fact]
    public void Evidence_for_another_binding_is_refused()
    {
        AttestationResult result = Appraise(report => report[SnpLayout.ReportDataAt] ^= 1);
        Assert.Equal(("report_data", Refusal.ReportDataMismatch), (result.Refused!.Id, result.Refused.Refusal));
    }

    [Fact]
    public void Under_AMDs_own_roots_a_fake_chip_proves_nothing() =>
        Assert.Equal("chain", Appraise(_ => { }, registry: VerifierRegistry.CreateDefault()).Refused!.Id);

    public static TheoryData<string, Refusal, Action<byte[]>> Unwanted() => new()
    {
        { "policy.debug", Refusal.SnpDebugNotAccepted, report => report[SnpLayout.PolicyAt + 2] |= 8 },
        { "policy.migration", Refusal.SnpMigrationNotAccepted, report => report[SnpLayout.PolicyAt + 2] |= 4 },
        { "policy.guest", Refusal.SnpGuestPolicyNotAccepted, report => report[SnpLayout.PolicyAt + 2] |= 0x20 },
        { "policy.abi", Refusal.SnpGuestPolicyNotAccepted, report => report[SnpLayout.PolicyAt]-- },
        { "vmpl", Refusal.SnpVmplNotAccepted, report => report[SnpLayout.VmplAt] = 1 },
        { "vmpl", Refusal.SnpVmplNotAccepted, report => BinaryPrimitives.WriteUInt32LittleEndian(report.AsSpan(SnpLayout.VmplAt), uint.MaxValue) },
        { "measurement", Refusal.MeasurementNotAccepted, report => report[SnpLayout.MeasurementAt + 47] ^= 1 },
        { "host_data", Refusal.SnpHostDataNotAccepted, report => report[SnpLayout.HostDataAt] ^= 1 },
        // One component lower and all others at their highest: as one number it would be greater.
        { "tcb.minimum", Refusal.SnpTcbBelowMinimum, report => Chip.WriteTcb(report.AsSpan(SnpLayout.CommittedTcbAt), new SnpTcb(FakeChip.Tcb.Fmc, 255, 255, (byte)(FakeChip.Tcb.Snp - 1), 255)) },
        { "tcb.minimum", Refusal.SnpTcbBelowMinimum, report => Chip.WriteTcb(report.AsSpan(SnpLayout.LaunchTcbAt), FakeChip.Tcb with { Bootloader = 0 }) },
        { "tcb.provisional", Refusal.SnpFirmwareProvisional, report => Chip.WriteTcb(report.AsSpan(SnpLayout.CurrentTcbAt), FakeChip.Tcb with { Snp = 99 }) },
        { "tcb.provisional", Refusal.SnpFirmwareProvisional, report => report[SnpLayout.CurrentFirmwareAt]++ },
        { "guest_svn", Refusal.SnpGuestSvnNotAccepted, report => report[SnpLayout.GuestSvnAt] = 6 },
        { "mitigation", Refusal.SnpMitigationMissing, report => report[SnpLayout.CurrentMitigationsAt] = 0x5F },
        { "id_key", Refusal.SnpIdKeyNotAccepted, report => report[SnpLayout.IdKeyDigestAt] = 1 },
        { "firmware", Refusal.SnpFirmwareNotAccepted, report => (report[SnpLayout.CurrentFirmwareAt], report[SnpLayout.CommittedFirmwareAt]) = (39, 39) },
        { "family_id", Refusal.SnpImageIdNotAccepted, report => report[SnpLayout.FamilyIdAt] = 1 },
        { "image_id", Refusal.SnpImageIdNotAccepted, report => report[SnpLayout.ImageIdAt] = 1 },
        { "platform_info", Refusal.SnpPlatformInfoNotAccepted, report => report[SnpLayout.PlatformInfoAt] = 0 },
        { "chip", Refusal.SnpPlatformNotAccepted, report => report.AsSpan(SnpLayout.ChipIdAt, 64).Clear() },
    };

    [Theory, MemberData(nameof(Unwanted))]
    public void A_genuine_report_that_is_not_wanted_is_refused_where_it_differs(string check, Refusal refusal, Action<byte[]> change)
    {
        Check refused = Appraise(change).Refused!;
        Assert.Equal((check, refusal), (refused.Id, refused.Refusal));
        Assert.NotEmpty(refused.Reason);
        Assert.NotNull(refused.Value);
    }

    [Fact]
    public void An_author_is_asked_for_by_name_or_at_all()
    {
        string author = "01" + new string('0', 94);
        void Signed(byte[] report) => (report[SnpLayout.FlagsAt], report[SnpLayout.AuthorKeyDigestAt]) = (1, 1);
        SnpPolicy any = Strict with { RequireAuthorKey = true }, named = Strict with { AuthorKeyDigest = Requirement.OneOf(author) };
        Assert.Null(Appraise(Signed, any).Refused);
        Assert.Null(Appraise(Signed, named).Refused);
        Assert.Null(Appraise(Signed).Refused);
        Assert.Equal("author_key", Appraise(_ => { }, any).Refused!.Id);
        Assert.Equal("author_key", Appraise(_ => { }, named).Refused!.Id);
        // A digest that nobody vouches for counts for nothing.
        Assert.Equal("author_key", Appraise(report => report[SnpLayout.AuthorKeyDigestAt] = 1, named).Refused!.Id);
        Assert.Equal("author_key", Appraise(Signed, Strict with { AuthorKeyDigest = Requirement.Exactly(new string('f', 96)) }).Refused!.Id);
    }

    [Fact]
    public void A_policy_may_want_less_or_else()
    {
        Assert.Equal("revocation", Appraise(_ => { }, revocationList: false).Refused!.Id);
        Assert.Null(Appraise(_ => { }, Strict with { RequireRevocationCheck = false }, revocationList: false).Refused);
        Assert.Null(Appraise(report => report[SnpLayout.PolicyAt + 2] |= 8, Strict with { AllowDebug = true }).Refused);
        Assert.Equal("policy.smt", Appraise(_ => { }, Strict with { AllowSmt = false }).Refused!.Id);
        Assert.Equal("platform", Appraise(_ => { }, Strict with { SigningKey = Requirement.Exactly("VLEK") }).Refused!.Id);
        Assert.Equal("platform", Appraise(_ => { }, Strict with { Product = Requirement.OneOf("Milan", "Genoa") }).Refused!.Id);
        Assert.Equal("provider", Appraise(_ => { }, Strict with { Provider = Requirement.Exactly("cloud.example") }).Refused!.Id);
        Assert.Equal(Refusal.RequirementNotApplicable, Appraise(_ => { }, Strict with { Measurement = Requirement.AtLeast("0") }).Refused!.Refusal);
    }

    [Fact]
    public void Reports_without_mitigations_are_refused_where_some_are_asked_for()
    {
        var claims = new Claims(TeeKind.SevSnp, false, "", SnpClaims.Of(SnpLayout.Parse(FakeChip.Of(SnpProduct.Genoa).Report()).Value, SnpProduct.Genoa, null, true).Fields);
        Check mitigation = new SnpAppraiser().Judge(claims, Strict with { Measurement = Requirement.Any<string>(), ReportedTcb = SnpTcbMinimum.Any, CommittedTcb = SnpTcbMinimum.Any, LaunchTcb = SnpTcbMinimum.Any }, FakeChip.Now).Single(check => check.Id == "mitigation");
        Assert.Equal((Verdict.Failed, "not stated"), (mitigation.Verdict, mitigation.Value));
    }

    [Fact]
    public void A_written_policy_reads_back_the_same()
    {
        SnpPolicy loose = Strict with
        {
            Abi = Requirement.Any<Version>(),
            Firmware = Requirement.OneOf(new Version(1, 55, 40), new Version(1, 56, 1)),
            Vmpl = Requirement.OneOf(0L, 1L),
            ReportedTcb = SnpTcbMinimum.Any,
            Mitigations = BitRequirement.Any,
            Product = Requirement.OneOf("Milan", "Genoa"),
        };
        foreach (SnpPolicy policy in new[] { Strict, loose })
        {
            byte[] written = PolicyWriter.Write(policy);
            Assert.Equal(written, PolicyWriter.Write(PolicyReader.Read(written).Value));
        }
        Assert.Throws<ArgumentException>(() => PolicyWriter.Write(Strict with { ReportData = Requirement.Exactly("") }));
    }

    [Theory]
    [InlineData("\"Debug\":false,", "", Refusal.PolicyMemberMissing)]
    [InlineData("\"Debug\":false", "\"Debug\":{\"Any\":true}", Refusal.PolicyMalformed)]
    [InlineData("\"Debug\":false", "\"Debug\":false,\"Debug\":false", Refusal.PolicyMemberDuplicate)]
    [InlineData("\"Debug\":false", "\"Debug\":false,\"ReportData\":\"\"", Refusal.PolicyMemberUnknown)]
    [InlineData("\"Vmpl\":0", "\"Vmpl\":4294967296", Refusal.PolicyMalformed)]
    [InlineData("\"Product\":\"Turin\"", "\"Product\":\"Venice\"", Refusal.PolicyMalformed)]
    [InlineData("\"AtLeast\":\"1.51\"", "\"AtLeast\":\"1.51.0\"", Refusal.PolicyMalformed)]
    [InlineData("\"Fmc\":3,", "", Refusal.PolicyMemberMissing)]
    [InlineData("\"Fmc\":3", "\"Fmc\":256", Refusal.PolicyMalformed)]
    [InlineData("\"Provider\":\"\"", "\"Provider\":{\"AtLeast\":\"\"}", Refusal.RequirementNotApplicable)]
    public void A_policy_that_does_not_speak_clearly_is_refused(string part, string instead, Refusal expected)
    {
        string written = Encoding.UTF8.GetString(PolicyWriter.Write(Strict));
        Assert.Contains(part, written, StringComparison.Ordinal);
        int at = written.IndexOf(part, StringComparison.Ordinal);
        Assert.Equal(expected, PolicyReader.Read(Encoding.UTF8.GetBytes(written[..at] + instead + written[(at + part.Length)..])).Refusal);
    }

    [Fact]
    public void Mutations_of_a_policy_give_a_policy_or_a_refusal()
    {
        foreach (byte[] bytes in Mutations.Of(PolicyWriter.Write(Strict), 3_000, seed: 11))
            PolicyReader.Fuzz(bytes);
    }

    [Fact]
    public void A_policy_of_another_kind_is_refused() =>
        Assert.Equal(Verdict.Failed, new SnpAppraiser().Judge(SnpClaims.Of(SnpLayout.Parse(Chip.Report()).Value, SnpProduct.Turin, null, true), new UnsupportedPolicy(TeeKind.SevSnp), FakeChip.Now)[0].Verdict);

    private static AttestationResult Appraise(Action<byte[]> change, SnpPolicy? policy = null, bool revocationList = true, VerifierRegistry? registry = null)
    {
        byte[] report = Chip.Report();
        Sample.Binding.ReportData(Sample.RuntimeData, []).CopyTo(report, SnpLayout.ReportDataAt);
        change(report);
        Endorsement[] lists = revocationList ? [new Endorsement(SnpEndorsements.RevocationList, Chip.RevocationList())] : [];
        var evidence = new Evidence(TeeKind.SevSnp, FakeChip.Sign(report), default, Sample.RuntimeData, Chip.Endorse(Chip.Vcek(), lists).Items);
        return (registry ?? Registry).Appraise(EvidenceCodec.Encode(new EvidenceSet(evidence, [], Sample.Binding)), Sample.Binding, policy ?? Strict, FakeChip.Now);
    }

    private static string Hex(int at, int size) => Convert.ToHexStringLower(Chip.Report().AsSpan(at, size));
}
