using System.Collections.Immutable;
using Cloister.Attestation;

namespace Cloister.Tests;

public sealed class RegistryTests
{
    private static readonly byte[] Beside = [.. Enumerable.Repeat((byte)7, 32)];
    private static readonly SimulationPolicy BesidePolicy = Sample.Policy with { Digest = Requirement.Exactly(Convert.ToHexStringLower(Beside)) };

    [Fact]
    public void Simulated_evidence_is_refused_unless_the_policy_names_it()
    {
        AttestationResult result = Sample.Appraise(Sample.Set(), new UnsupportedPolicy(TeeKind.NvidiaGpu));
        Assert.Equal(Refusal.SimulationNotNamed, Sample.RefusalOf(result));
        Assert.True(result.Simulated);
    }

    [Fact]
    public void A_tee_without_a_verifier_is_refused()
    {
        var registry = new VerifierRegistry([new EverythingIsTrue(TeeKind.Tdx)], [], Anchors.Pinned);
        EvidenceSet set = Sample.Set();
        AttestationResult result = registry.Appraise(set with { Primary = set.Primary with { Kind = TeeKind.Tpm } }, Sample.Binding, new UnsupportedPolicy(TeeKind.Tpm), Sample.Time);
        Assert.Equal(Refusal.TeeNotSupported, Sample.RefusalOf(result));
        Assert.False(result.Simulated);
    }

    [Fact]
    public void A_gpu_cannot_stand_first()
    {
        EvidenceSet set = Sample.Set();
        Assert.Equal(Refusal.PrimaryNotAttester, Sample.RefusalOf(Sample.Appraise(set with { Primary = set.Primary with { Kind = TeeKind.NvidiaGpu } }, new UnsupportedPolicy(TeeKind.NvidiaGpu))));
    }

    [Fact]
    public void A_tee_with_a_verifier_that_the_policy_does_not_name_is_refused()
    {
        var registry = new VerifierRegistry([new EverythingIsTrue(TeeKind.Tpm)], [new EverythingIsTrue(TeeKind.Tpm)], Anchors.Pinned);
        EvidenceSet set = Sample.Set();
        set = set with { Primary = set.Primary with { Kind = TeeKind.Tpm } };
        Assert.Equal(Refusal.TeeNotNamed, Sample.RefusalOf(registry.Appraise(set, Sample.Binding, Sample.Policy, Sample.Time)));
        registry.Appraise(set, Sample.Binding, new UnsupportedPolicy(TeeKind.Tpm), Sample.Time).RequireAccepted();
    }

    [Fact]
    public void All_of_needs_every_part()
    {
        Sample.Appraise(Sample.Pair(Beside), new AllOf([Sample.Policy, BesidePolicy])).RequireAccepted();
        Assert.Equal(2, Sample.Appraise(Sample.Pair(Beside), new AllOf([Sample.Policy, BesidePolicy])).RequireAcceptedAll().Length);
        Assert.Equal(Refusal.NoAlternativeAccepted, Sample.RefusalOf(Sample.Appraise(Sample.Pair(Beside), new AllOf([Sample.Policy, Sample.OtherPolicy]))));
        Assert.Equal(Refusal.MeasurementNotAccepted, Sample.RefusalOf(Sample.Appraise(Sample.Set(), new AllOf([Sample.Policy, BesidePolicy]))));
        Assert.Equal(Refusal.TeeNotSupported, Sample.RefusalOf(Sample.Appraise(Sample.Set(), new AllOf([Sample.Policy, new UnsupportedPolicy(TeeKind.NvidiaGpu)]))));
        Check choice = Sample.Appraise(Sample.Set(), new AnyOf([Sample.OtherPolicy, new AllOf([])])).Refused!;
        Assert.Equal(Refusal.PolicyEmpty, choice.Branches[1].Checks[0].Refusal);
    }

    [Fact]
    public void Any_of_needs_one_part_and_shows_all()
    {
        AttestationResult result = Sample.Appraise(Sample.Set(), new AnyOf([new UnsupportedPolicy(TeeKind.NvidiaGpu), Sample.OtherPolicy, Sample.Policy]));
        result.RequireAccepted();
        Check choice = Assert.Single(result.Checks, check => check.Id == "policy.any-of");
        Assert.Equal("anyOf[2]", choice.Value);
        Assert.Equal([false, false, true], choice.Branches.Select(branch => branch.Passed));
        Assert.Equal([Refusal.TeeNotSupported, Refusal.MeasurementNotAccepted], choice.Branches.Take(2).Select(branch => branch.Checks.First(check => check.Verdict == Verdict.Failed).Refusal));

        AttestationResult refused = Sample.Appraise(Sample.Set(), new AnyOf([Sample.OtherPolicy, BesidePolicy]));
        Assert.Equal(Refusal.NoAlternativeAccepted, Sample.RefusalOf(refused));
        Assert.Contains("anyOf[0]", refused.Refused!.Reason, StringComparison.Ordinal);
        Assert.Equal(Refusal.SimulationNotNamed, Sample.RefusalOf(Sample.Appraise(Sample.Set(), new AnyOf([]))));
    }

    [Fact]
    public void Evidence_that_no_accepted_part_uses_is_refused()
    {
        AttestationResult result = Sample.Appraise(Sample.Pair(Beside), Sample.Policy);
        Assert.Equal(Refusal.EvidenceNotUsed, Sample.RefusalOf(result));
        Assert.Equal("evidence[1]", result.Refused!.Field);
        // The failed alternative alone would use the second evidence.
        Assert.Equal(Refusal.EvidenceNotUsed, Sample.RefusalOf(Sample.Appraise(Sample.Pair(Beside), new AnyOf([Sample.Policy, new AllOf([BesidePolicy, Sample.OtherPolicy])]))));
        Sample.Appraise(Sample.Pair(Beside), new AnyOf([Sample.Policy, BesidePolicy])).RequireAccepted();
    }

    [Fact]
    public void Other_evidence_is_bound_to_its_place()
    {
        EvidenceSet pair = Sample.Pair(Beside);
        ImmutableArray<Evidence> twice = [pair.Others[0], pair.Others[0]];
        var doubled = new EvidenceSet(Sample.Evidence(Sample.Binding.ReportData(Sample.RuntimeData, twice)), twice, Sample.Binding);
        AttestationResult result = Sample.Appraise(doubled, new AllOf([Sample.Policy, BesidePolicy]));
        Assert.Equal(Refusal.ReportDataMismatch, Sample.RefusalOf(result));
        Assert.StartsWith("evidence[2]", result.Refused!.Field, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_result_lists_the_whole_procedure()
    {
        string[] all = [.. Ids(Sample.Appraise(Sample.Set()))];
        Assert.Equal(
        [
            "binding.role", "binding.nonce", "binding.key", "binding.primary", "tee.supported", "tee.named",
            "simulation.layout", "simulation.event-log", "simulation.endorsements", "simulation.host-key", "simulation.signature", "simulation.report-data",
            "policy.evidence", "simulation.named", "simulation.accepted-host-key", "simulation.digest", "policy.coverage",
        ], all);
        Assert.Equal(all, Ids(Sample.Appraise(Sample.Set(new Binding(AttesterRole.Workload, new byte[16], Sample.PeerKey)))));
        Assert.Equal(all, Ids(Sample.Appraise(Sample.Set(hostKey: Sample.OtherKey))));
        EvidenceSet set = Sample.Set();
        Assert.Equal(all, Ids(Sample.Appraise(set with { Primary = set.Primary with { Report = default } })));
        Assert.Equal(["evidence.format", .. all], Ids(Sample.Registry.Appraise(EvidenceCodec.Encode(set), Sample.Binding, Sample.Policy, Sample.Time)));
    }

    [Fact]
    public void Nothing_behind_a_failed_check_was_reached()
    {
        AttestationResult result = Sample.Appraise(Sample.Set(hostKey: Sample.OtherKey));
        int failed = result.Checks.IndexOf(result.Checks.Single(check => check.Verdict == Verdict.Failed));
        Assert.All(result.Checks.Take(failed), check => Assert.Equal(Verdict.Passed, check.Verdict));
        Assert.All(result.Checks.Skip(failed + 1), check => Assert.Equal(Verdict.NotReached, check.Verdict));
    }

    [Fact]
    public void Bytes_that_are_not_evidence_give_a_result_too()
    {
        AttestationResult result = Sample.Registry.Appraise("nonsense"u8, Sample.Binding, Sample.Policy, Sample.Time);
        Assert.Equal(Refusal.EvidenceMagic, Sample.RefusalOf(result));
        Assert.Equal("evidence.format", result.Checks[0].Id);
        Assert.All(result.Checks.Skip(1), check => Assert.Equal(Verdict.NotReached, check.Verdict));
    }

    [Fact]
    public void Mutated_evidence_gives_a_refused_result()
    {
        foreach (byte[] valid in (byte[][])[EvidenceCodec.Encode(Sample.Set()), EvidenceCodec.Encode(Sample.Pair(Beside))])
            foreach (byte[] bytes in Mutations.Of(valid, 2_000, seed: 5))
            {
                AttestationResult result = Sample.Registry.Appraise(bytes, Sample.Binding, new AllOf([Sample.Policy, new AnyOf([Sample.Policy, BesidePolicy])]), Sample.Time);
                Assert.Equal(bytes.AsSpan().SequenceEqual(valid), result.Refused is null);
            }
    }

    [Fact]
    public void A_verifier_and_an_appraiser_are_known_once_each() =>
        Assert.Throws<ArgumentException>(() => new VerifierRegistry([new EverythingIsTrue(TeeKind.Tpm), new EverythingIsTrue(TeeKind.Tpm)], [], Anchors.Pinned));

    private static IEnumerable<string> Ids(AttestationResult result) => result.Checks.Select(check => check.Id);

    private sealed class EverythingIsTrue(TeeKind kind) : IVerifier, IAppraiser
    {
        public TeeKind Kind => kind;

        public ImmutableArray<PlannedCheck> Plan => [new("true", "everything")];

        public Proof Prove(Evidence evidence, ReadOnlyMemory<byte> expectedReportData, Endorsements endorsements, Anchors anchors, VerificationTime time) =>
            new([Check.Pass("true", "everything")], new Claims(kind, false, "", ImmutableDictionary<string, string>.Empty));

        public ImmutableArray<Check> Judge(Claims claims, PackagePolicy policy, VerificationTime time) => [Check.Pass("true", "everything")];
    }
}
