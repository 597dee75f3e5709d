using System.Collections.Immutable;
using Cloister.Attestation;
using Cloister.Protocol.Manifest;

namespace Cloister.Protocol.Trust;

/// <summary>A coordinator that <see cref="CoordinatorAppraiser"/> accepted; nobody else makes one.</summary>
public sealed record VerifiedCoordinator
{
    internal VerifiedCoordinator() { }

    /// <summary>Root certificate, DER.</summary>
    public required ReadOnlyMemory<byte> Root { get; init; }
    /// <summary>Intermediate certificate, DER; signs workloads' certificates.</summary>
    public required ReadOnlyMemory<byte> Intermediate { get; init; }
    /// <summary>Marble root certificate, DER.</summary>
    public required ReadOnlyMemory<byte> MarbleRoot { get; init; }
    /// <summary>Fingerprint of the manifest in force; empty where the policy expected none yet.</summary>
    public required string ManifestFingerprint { get; init; }
    /// <summary>Whether its evidence is simulated: nothing was proven against the machine it runs on.</summary>
    public required bool Simulated { get; init; }
    /// <summary>Its measurement, hex.</summary>
    public required string Measurement { get; init; }

    /// <summary>Whether bytes are the manifest in force.</summary>
    public bool IsManifest(ReadOnlySpan<byte> manifest) => ManifestFingerprint.Length != 0 && Manifest.ManifestFingerprint.Of(manifest) == ManifestFingerprint;
}

/// <summary>The outcome of appraising a coordinator.</summary>
/// <param name="Result">Every check in order.</param>
/// <param name="Verified">The coordinator; null where a check does not hold.</param>
public sealed record CoordinatorJudgement(AttestationResult Result, VerifiedCoordinator? Verified)
{
    /// <summary>The coordinator.</summary>
    /// <exception cref="AttestationRefusedException">A check does not hold.</exception>
    public VerifiedCoordinator RequireVerified()
    {
        Result.RequireAccepted();
        return Verified!;
    }
}

/// <summary>A workload that <see cref="WorkloadAppraiser"/> accepted; nobody else makes one.</summary>
public sealed record VerifiedWorkload
{
    internal VerifiedWorkload() { }

    /// <summary>Marble type.</summary>
    public required string Type { get; init; }
    /// <summary>Its instance.</summary>
    public required string Uuid { get; init; }
    /// <summary>SubjectPublicKeyInfo of its certificate, DER: the key that a TLS connection to it must have.</summary>
    public required ReadOnlyMemory<byte> PublicKey { get; init; }
    /// <summary>When its certificate ends.</summary>
    public required DateTimeOffset NotAfter { get; init; }
    /// <summary>Whether its evidence is simulated: nothing was proven against the machine it runs on.</summary>
    public required bool Simulated { get; init; }
    /// <summary>Its measurement, hex.</summary>
    public required string Measurement { get; init; }
    /// <summary>
    /// By model: how its predictions are protected, a word of <see cref="ModelModes"/>, as the manifest demands and the evidence states. A model
    /// of the workload that is not named runs inside or encrypted, as its sealed file says, and never partitioned.
    /// </summary>
    public required ImmutableSortedDictionary<string, string> Modes { get; init; }
}

/// <summary>The outcome of appraising a workload.</summary>
/// <param name="Result">Every check in order.</param>
/// <param name="Verified">The workload; null where a check does not hold.</param>
public sealed record WorkloadJudgement(AttestationResult Result, VerifiedWorkload? Verified)
{
    /// <summary>The workload.</summary>
    /// <exception cref="AttestationRefusedException">A check does not hold.</exception>
    public VerifiedWorkload RequireVerified()
    {
        Result.RequireAccepted();
        return Verified!;
    }
}
