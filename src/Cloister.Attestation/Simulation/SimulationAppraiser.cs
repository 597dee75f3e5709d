using System.Collections.Immutable;

namespace Cloister.Attestation.Simulation;

/// <summary>Judges simulated claims: an accepted host key, an accepted digest.</summary>
public sealed class SimulationAppraiser : IAppraiser
{
    private static readonly ImmutableArray<PlannedCheck> Checks =
    [
        new("simulation.named", "policy"),
        new("simulation.accepted-host-key", "report.hostKey"),
        new("simulation.digest", "report.measurement"),
    ];

    /// <inheritdoc/>
    public TeeKind Kind => TeeKind.Simulation;

    /// <inheritdoc/>
    public ImmutableArray<PlannedCheck> Plan => Checks;

    /// <inheritdoc/>
    public ImmutableArray<Check> Judge(Claims claims, PackagePolicy policy, VerificationTime time)
    {
        if (claims.Kind != Kind) throw new ArgumentException($"These are claims of {claims.Kind}.", nameof(claims));
        var checks = new CheckList(Checks);
        if (!checks.Next("simulation.named", policy is SimulationPolicy, Refusal.SimulationNotNamed, "the policy does not name Simulation")) return checks.Finish();
        var wanted = (SimulationPolicy)policy;
        string[] keys = wanted.HostKeys.IsDefault ? [] : [.. wanted.HostKeys.Select(key => Convert.ToBase64String(key.Span))];
        string hostKey = claims.Fields.GetValueOrDefault(SimulationFields.HostKey, "");
        if (!checks.Next("simulation.accepted-host-key", keys.Contains(hostKey, StringComparer.Ordinal), Refusal.HostKeyNotAccepted,
            "signed by a simulator whose host key the policy does not name", hostKey, $"one of {string.Join(", ", keys)}")) return checks.Finish();
        if (wanted.Digest is Requirement<string>.AtLeast)
            checks.Fail("simulation.digest", Refusal.RequirementNotApplicable, "digests have no order", claims.Measurement, $"{wanted.Digest}");
        else
            checks.Next("simulation.digest", wanted.Digest.Accepts(claims.Measurement), Refusal.MeasurementNotAccepted,
                "another program than the policy accepts, or the program was changed", claims.Measurement, $"{wanted.Digest}");
        return checks.Finish();
    }
}
