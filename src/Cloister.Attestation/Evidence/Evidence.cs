using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>What one attester says about itself (RFC 9334 "Evidence"), unverified.</summary>
/// <param name="Kind">The attester's kind; says how to read <paramref name="Report"/>.</param>
/// <param name="Report">The signed report, quote or measurement transcript, in its vendor's own layout.</param>
/// <param name="EventLog">The log whose replay explains measured registers; empty where the kind has none.</param>
/// <param name="RuntimeData">What the attester says beside its measurement; covered by the freshly signed field.</param>
/// <param name="Endorsements">Hints its maker attached; may be replaced by anybody without breaking the evidence.</param>
public sealed record Evidence(
    TeeKind Kind,
    ReadOnlyMemory<byte> Report,
    ReadOnlyMemory<byte> EventLog,
    ReadOnlyMemory<byte> RuntimeData,
    ImmutableArray<Endorsement> Endorsements);
