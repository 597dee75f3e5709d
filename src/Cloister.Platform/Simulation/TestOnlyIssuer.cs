using System.Security.Cryptography;
using Cloister.Attestation;
using Cloister.Attestation.Simulation;

namespace Cloister.Platform.Simulation;

/// <summary>
/// Signs whatever measurement it is given, in the caller's own process. For tests of those who consume evidence; a policy accepts
/// what it signs only if it names this very key.
/// </summary>
/// <param name="hostKey">A P-256 key; stays the caller's.</param>
/// <param name="measurement">32 bytes.</param>
public sealed class TestOnlyIssuer(ECDsa hostKey, ReadOnlyMemory<byte> measurement) : IEvidenceIssuer
{
    /// <inheritdoc/>
    public TeeKind Kind => TeeKind.Simulation;

    /// <inheritdoc/>
    public bool Simulated => true;

    /// <summary>The policy that accepts this issuer's evidence and no other's.</summary>
    public SimulationPolicy Policy => new(Requirement.Exactly(Convert.ToHexStringLower(measurement.Span)), [hostKey.ExportSubjectPublicKeyInfo()]);

    /// <inheritdoc/>
    public ValueTask<EvidenceSet> IssueAsync(Binding binding, ReadOnlyMemory<byte> runtimeData, CancellationToken cancellation)
    {
        byte[] report = SimulationReport.Encode(hostKey, measurement.Span, binding.ReportData(runtimeData.Span, []), "test only");
        return ValueTask.FromResult(new EvidenceSet(new Evidence(Kind, report, default, runtimeData, []), [], binding));
    }
}
