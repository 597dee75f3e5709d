using System.Collections.Immutable;

namespace Cloister.Attestation;

/// <summary>All endorsements at hand for one piece of evidence: those fetched for it, then those its maker attached.</summary>
/// <param name="Items">Unchecked; a verifier checks each against its anchors before it uses it.</param>
public sealed record Endorsements(ImmutableArray<Endorsement> Items)
{
    /// <summary>No endorsements.</summary>
    public static Endorsements None { get; } = new([]);
}
