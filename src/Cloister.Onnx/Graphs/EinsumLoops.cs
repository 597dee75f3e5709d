using System.Collections.Immutable;

namespace Cloister.Onnx.Graphs;

/// <summary>
/// Multiply-accumulates of an Einsum, whose terms are multiplied one after the other, from the left: every letter of two terms is a loop,
/// and what no later term and not the result has is summed away between. Places under an ellipsis are letters of their own, aligned at the
/// end; a size of 1 follows the other term's. One term alone multiplies nothing.
/// </summary>
internal static class EinsumLoops
{
    private const string Ellipsis = "...";

    /// <summary>Counts them; 0 for an equation that does not fit the shapes.</summary>
    public static long Count(string equation, ImmutableArray<long>[] shapes)
    {
        string[] sides = equation.Replace(" ", "", StringComparison.Ordinal).Split("->");
        string[] terms = sides[0].Split(',');
        if (terms.Length != shapes.Length)
            return 0;
        var sizes = new Dictionary<string, long>(StringComparer.Ordinal);
        var letters = new HashSet<string>[terms.Length];
        for (int i = 0; i < terms.Length; i++)
        {
            if (Letters(terms[i], shapes[i].Length) is not { } named)
                return 0;
            for (int d = 0; d < named.Count; d++)
                sizes[named[d]] = Math.Max(shapes[i][d], sizes.GetValueOrDefault(named[d]));
            letters[i] = [.. named];
        }
        HashSet<string> result = sides.Length > 1 && Letters(sides[1], rank: null) is { } written ? [.. written] : Once(terms);
        long sum = 0;
        HashSet<string> left = letters[0];
        for (int i = 1; i < terms.Length; i++)
        {
            left = [.. left, .. letters[i]];
            sum += left.Aggregate(1L, (product, letter) => product * sizes[letter]);
            left.RemoveWhere(letter => letter[0] != '.' && !result.Contains(letter) && !letters[(i + 1)..].Any(later => later.Contains(letter)));
        }
        return sum;
    }

    // Without a right side the result has the letters that stand once.
    private static HashSet<string> Once(string[] terms) =>
        [.. terms.SelectMany(term => term.Replace(Ellipsis, "", StringComparison.Ordinal)).GroupBy(letter => letter).Where(group => group.Count() == 1).Select(group => group.Key.ToString())];

    private static List<string>? Letters(string term, int? rank)
    {
        int at = term.IndexOf(Ellipsis, StringComparison.Ordinal);
        string plain = term.Replace(Ellipsis, "", StringComparison.Ordinal);
        List<string> letters = [.. plain.Select(letter => letter.ToString())];
        int covered = (rank ?? letters.Count) - letters.Count;
        if (covered < 0 || covered > 0 && at < 0)
            return null;
        for (int i = 0; i < covered; i++)
            letters.Insert(at + i, $".{covered - i}");
        return letters;
    }
}
