using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>One root of trust.</summary>
/// <param name="Kind">The kind of TEE it is for.</param>
/// <param name="Name">Which one, such as <c>ark-milan</c>.</param>
/// <param name="Bytes">The DER certificate or key.</param>
public sealed record Anchor(TeeKind Kind, string Name, ReadOnlyMemory<byte> Bytes);

/// <summary>The roots of trust that replace a verifier's pinned ones; empty leaves the pinned ones in force.</summary>
/// <param name="Items">The roots.</param>
public sealed record Anchors(ImmutableArray<Anchor> Items)
{
    /// <summary>The vendors' own roots, as pinned.</summary>
    public static Anchors Pinned { get; } = new([]);
}
