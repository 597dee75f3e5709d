using System.Collections.Immutable;

namespace Cloister.Partitioning.Tokens;

/// <summary>A test text and what was recovered of it.</summary>
/// <param name="Original">Its tokens.</param>
/// <param name="Recovered">Tokens at the same positions; of a bag, as many tokens, the surest first, the last ones perhaps guessed.</param>
public sealed record RecoveredText(ImmutableArray<int> Original, ImmutableArray<int> Recovered);
