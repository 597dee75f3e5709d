using System.Collections.Frozen;
using System.Collections.Immutable;
using Cloister.Coordinator.Activation;
using Cloister.Coordinator.Authority;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;

namespace Cloister.Coordinator.State;

/// <summary>Everything the coordinator knows at one version. Never changes; the next version is another object.</summary>
internal sealed record CoordinatorSnapshot
{
    /// <summary>Grows with every change; 0 is what was never stored.</summary>
    public long Version { get; init; }

    public required CoordinatorState State { get; init; }

    public required CertificateAuthority Authority { get; init; }

    /// <summary>32 bytes that per-marble keys are derived from.</summary>
    public required ReadOnlyMemory<byte> RootSecret { get; init; }

    public ManifestInForce? Manifest { get; init; }

    /// <summary>Keys by name: generated when the manifest was set, or uploaded. A user-defined secret that is absent is not set yet.</summary>
    public ImmutableDictionary<string, ReadOnlyMemory<byte>> Secrets { get; init; } = ImmutableDictionary.Create<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);

    /// <summary>Used activations by marble type; only types with a limit are counted.</summary>
    public ImmutableDictionary<string, long> Activations { get; init; } = ImmutableDictionary.Create<string, long>(StringComparer.Ordinal);

    /// <summary>One JSON line an event, oldest first.</summary>
    public ImmutableList<string> UpdateLog { get; init; } = [];
}

/// <summary>The manifest that was set.</summary>
/// <param name="Bytes">Exactly as it came.</param>
/// <param name="Fingerprint">SHA-256 of the bytes, hex.</param>
/// <param name="Dialect">The rules it was read by.</param>
/// <param name="Document">What the bytes say.</param>
/// <param name="OwnerSignatures">Signatures that came with it; all of them verified.</param>
/// <param name="RootSignature">The root key's ECDSA signature over the manifest's SHA-256, ASN.1.</param>
internal sealed record ManifestInForce(
    ReadOnlyMemory<byte> Bytes,
    string Fingerprint,
    ManifestDialect Dialect,
    ManifestDocument Document,
    ImmutableArray<OwnerSignature> OwnerSignatures,
    ReadOnlyMemory<byte> RootSignature)
{
    /// <summary>What each marble type receives.</summary>
    public FrozenDictionary<string, MarblePlan> Plans { get; } = MarblePlan.PlanAll(Document);
}
