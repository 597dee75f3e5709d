using System.Collections.Immutable;

namespace Cloister.Partitioning.Assessment;

/// <summary>Scores of one name.</summary>
internal static class Scores
{
    public static ImmutableSortedDictionary<string, double> None { get; } = ImmutableSortedDictionary.Create<string, double>(StringComparer.Ordinal);

    public static ImmutableSortedDictionary<string, double> Of(string name, double protection) => None.Add(name, protection);

    /// <summary>1 less what was found above chance: a share of 1 protects nothing, chance protects all.</summary>
    public static double Protection(double found, double chance) => chance >= 1 ? 1 : 1 - Math.Clamp((found - chance) / (1 - chance), 0, 1);
}
