using System.Collections.Immutable;
using Cloister.Attestation.Dcap;
using Cloister.Attestation.SevSnp;
using Cloister.Attestation.Sgx;
using Cloister.Attestation.Simulation;
using Cloister.Attestation.Tdx;
using Cloister.Attestation.Tpm;

namespace Cloister.Attestation;

/// <summary>Knows the verifier and the appraiser of every kind of TEE, and appraises whole evidence sets. Immutable.</summary>
public sealed class VerifierRegistry
{
    private readonly ImmutableDictionary<TeeKind, IVerifier> _verifiers;
    private readonly PolicyAppraiser _policies;
    private readonly Anchors _anchors;

    /// <summary>Makes a registry.</summary>
    /// <param name="verifiers">At most one a kind.</param>
    /// <param name="appraisers">At most one a kind.</param>
    /// <param name="anchors">Roots of trust.</param>
    /// <exception cref="ArgumentException">Two of a kind.</exception>
    public VerifierRegistry(IEnumerable<IVerifier> verifiers, IEnumerable<IAppraiser> appraisers, Anchors anchors)
    {
        _verifiers = verifiers.ToImmutableDictionary(verifier => verifier.Kind);
        _policies = new PolicyAppraiser(appraisers.ToImmutableDictionary(appraiser => appraiser.Kind));
        _anchors = anchors;
    }

    /// <summary>Every verifier of this version, with the vendors' own roots. Keep it: it remembers the chains and keys that it checked.</summary>
    public static VerifierRegistry CreateDefault()
    {
        var dcap = new DcapMemory();
        return new(
            [new SimulationVerifier(), new TpmVerifier(), new SnpVerifier(), new TdxVerifier(dcap), new SgxVerifier(dcap)],
            [new SimulationAppraiser(), new TpmAppraiser(), new SnpAppraiser(), new TdxAppraiser(), new SgxAppraiser()],
            Anchors.Pinned);
    }

    /// <summary>Decodes, proves and judges hostile bytes.</summary>
    /// <param name="encoded">An encoded evidence set.</param>
    /// <param name="expected">The role, nonce and key that the evidence must be bound to: the verifier's own, never the evidence's.</param>
    /// <param name="policy">What is accepted.</param>
    /// <param name="time">When certificates must be valid.</param>
    /// <param name="fetched">Endorsements that the caller fetched; those in the evidence are added.</param>
    public AttestationResult Appraise(ReadOnlySpan<byte> encoded, Binding expected, PackagePolicy policy, VerificationTime time, Endorsements? fetched = null)
    {
        Outcome<EvidenceSet> decoded = EvidenceCodec.Decode(encoded);
        if (decoded.TryGetValue(out EvidenceSet? evidence))
        {
            AttestationResult result = Appraise(evidence, expected, policy, time, fetched);
            return result.Prepend(Check.Pass("evidence.format", "evidence"));
        }
        ImmutableArray<Check> checks = [Check.Fail("evidence.format", decoded.Field, decoded.Refusal, decoded.Reason), .. BindingCheck.NotReached(), .. _policies.NotReached(policy, "policy")];
        return new AttestationResult(checks, [], false);
    }

    /// <summary>Proves and judges an evidence set.</summary>
    /// <param name="evidence">Hostile evidence.</param>
    /// <param name="expected">The role, nonce and key that the evidence must be bound to: the verifier's own, never the evidence's.</param>
    /// <param name="policy">What is accepted.</param>
    /// <param name="time">When certificates must be valid.</param>
    /// <param name="fetched">Endorsements that the caller fetched; those in the evidence are added.</param>
    public AttestationResult Appraise(EvidenceSet evidence, Binding expected, PackagePolicy policy, VerificationTime time, Endorsements? fetched = null)
    {
        ImmutableArray<Evidence> others = evidence.Others.IsDefault ? [] : evidence.Others;
        ImmutableArray<Evidence> all = others.Insert(0, evidence.Primary);
        var checks = ImmutableArray.CreateBuilder<Check>();
        checks.AddRange(BindingCheck.Make(evidence, expected));
        var claims = ImmutableArray.CreateBuilder<Claims>(all.Length);
        bool refused = checks.Any(check => check.Verdict != Verdict.Passed);
        for (int i = 0; i < all.Length; i++)
        {
            string at = $"evidence[{i}]";
            ImmutableArray<Check> made = refused ? NotReached(all[i].Kind, at) : Prove(all[i], i, others, expected, policy, time, fetched, claims);
            refused |= made.Any(check => check.Verdict != Verdict.Passed);
            checks.AddRange(made);
        }
        checks.AddRange(refused ? _policies.NotReached(policy, "policy") : _policies.Judge(policy, claims.ToImmutable(), time));
        return new AttestationResult(checks.ToImmutable(), claims.ToImmutable(), all.Any(one => one.Kind == TeeKind.Simulation));
    }

    /// <summary>Judges claims that a verifier proved, for those who prove bare evidence themselves.</summary>
    /// <param name="policy">What is accepted.</param>
    /// <param name="claims">The claims of all evidence, the primary's first.</param>
    /// <param name="time">When dates in the claims must hold.</param>
    /// <returns>Every check, ending with that all evidence was used.</returns>
    public ImmutableArray<Check> Judge(PackagePolicy policy, ImmutableArray<Claims> claims, VerificationTime time) => _policies.Judge(policy, claims, time);

    private ImmutableArray<Check> Prove(
        Evidence evidence, int index, ImmutableArray<Evidence> others, Binding expected, PackagePolicy policy, VerificationTime time, Endorsements? fetched, ImmutableArray<Claims>.Builder claims)
    {
        string at = $"evidence[{index}]";
        var kind = new CheckList(KindPlan(at));
        IVerifier? verifier = _verifiers.GetValueOrDefault(evidence.Kind);
        bool known = kind.Next("tee.supported", verifier is not null, Refusal.TeeNotSupported, $"this version has no verifier for {evidence.Kind}", $"{evidence.Kind}")
            && kind.Next("tee.named", policy.Names(evidence.Kind), evidence.Kind == TeeKind.Simulation ? Refusal.SimulationNotNamed : Refusal.TeeNotNamed, Unnamed(evidence.Kind), $"{evidence.Kind}");
        if (!known) return [.. kind.Finish(), .. verifier is null ? [] : CheckList.NotReached(At(verifier.Plan, at))];

        byte[] reportData = index == 0 ? expected.ReportData(evidence.RuntimeData.Span, others)
            : evidence.Kind == TeeKind.NvidiaGpu ? expected.GpuNonce(index - 1)
            : expected.OtherReportData(index - 1, evidence.RuntimeData.Span);
        ImmutableArray<Endorsement> attached = evidence.Endorsements.IsDefault ? [] : evidence.Endorsements;
        Proof proof = verifier!.Prove(evidence, reportData, new Endorsements([.. fetched?.Items ?? [], .. attached]), _anchors, time);
        if (proof.Claims is { } proven) claims.Add(proven);
        return [.. kind.Finish(), .. proof.Checks.Select(check => check with { Field = $"{at}.{check.Field}" })];
    }

    private ImmutableArray<Check> NotReached(TeeKind kind, string at) =>
        [.. CheckList.NotReached(KindPlan(at)), .. _verifiers.TryGetValue(kind, out IVerifier? verifier) ? CheckList.NotReached(At(verifier.Plan, at)) : []];

    private static ImmutableArray<PlannedCheck> KindPlan(string at) => [new("tee.supported", at + ".kind"), new("tee.named", at + ".kind")];

    private static ImmutableArray<PlannedCheck> At(ImmutableArray<PlannedCheck> plan, string at) => [.. plan.Select(check => check with { Field = $"{at}.{check.Field}" })];

    private static string Unnamed(TeeKind kind) => kind == TeeKind.Simulation
        ? "the evidence is simulated, which proves nothing, and the policy does not name Simulation"
        : $"the policy does not name {kind}";
}
