using Cloister.Attestation;

namespace Cloister.Platform;

/// <summary>Produces evidence about the program that calls it, on the machine it runs on.</summary>
public interface IEvidenceIssuer
{
    /// <summary>The kind of the primary attester.</summary>
    TeeKind Kind { get; }

    /// <summary>Whether no hardware stands behind the evidence. Whoever shows evidence shows this too.</summary>
    bool Simulated { get; }

    /// <summary>Produces fresh evidence.</summary>
    /// <param name="binding">The role, nonce and key it is bound to.</param>
    /// <param name="runtimeData">What the program says beside its measurement, at most <see cref="EvidenceCodec.MaximumRuntimeData"/> bytes.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="PlatformException">The platform gave no evidence; the message says why and what to do.</exception>
    ValueTask<EvidenceSet> IssueAsync(Binding binding, ReadOnlyMemory<byte> runtimeData, CancellationToken cancellation);
}
