using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Cloister.Partitioning.Labels;

/// <summary>Names of classes, brought to one form so that two lists of the same classes agree.</summary>
internal static partial class ClassNames
{
    /// <summary>Names without a leading WordNet number ("n01440764 "), spaces at the ends and capitals; places where there are no names.</summary>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.LabelsRefused"/>: there are some, but not one a class.</exception>
    public static ImmutableArray<string> Of(IReadOnlyList<string> labels, int classes, string owner)
    {
        if (labels.Count == 0)
            return [.. Enumerable.Range(0, classes).Select(place => place.ToString(CultureInfo.InvariantCulture))];
        if (labels.Count != classes)
            throw new PartitioningException(PartitioningError.LabelsRefused, $"{owner} has {classes} classes, and {labels.Count} names are given.");
        return [.. labels.Select(label => Synset().Replace(label, "").Trim().ToLowerInvariant())];
    }

    [GeneratedRegex(@"^\s*n\d{8}\s+")]
    private static partial Regex Synset();
}
