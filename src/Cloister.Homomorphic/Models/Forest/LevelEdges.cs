namespace Cloister.Homomorphic.Models;

/// <summary>Chooses the edges between a feature's levels.</summary>
internal static class LevelEdges
{
    /// <summary>Levels of one feature.</summary>
    /// <param name="feature">Its place.</param>
    /// <param name="nodes">The questions about it.</param>
    /// <param name="column">Its numbers in the calibration table, ascending, without absent ones.</param>
    /// <param name="mayBeAbsent">Whether it has a level for being absent.</param>
    /// <param name="levels">How many levels there are, that one included.</param>
    /// <param name="exact">Whether the questions' thresholds are the edges.</param>
    internal static FeatureLevels Choose(int feature, IReadOnlyList<TreeNode> nodes, double[] column, bool mayBeAbsent, int levels, bool exact)
    {
        int available = levels - 1 - (mayBeAbsent ? 1 : 0);
        var edges = new SortedSet<double>();
        if (nodes.Any(node => node.Test == NodeTest.Member)) AddCategories(edges, nodes, column, available);
        if (edges.Count > available) throw TooMany(feature, $"{edges.Count} edges between its categories", levels);
        TreeNode[] thresholds = [.. nodes.Where(node => node.Test != NodeTest.Member && double.IsFinite(node.Threshold))];
        if (exact)
        {
            // value < threshold is value <= the double before it.
            foreach (TreeNode node in thresholds) edges.Add(node.Test == NodeTest.Less ? Math.BitDecrement(node.Threshold) : node.Threshold);
            if (edges.Count > available) throw TooMany(feature, $"{edges.Count} thresholds", levels);
        }
        else if (edges.Count == 0 || thresholds.Length != 0)
        {
            // For features that the model never asks about, too: so edges do not tell which those are.
            foreach (double edge in Quantiles(column, available - edges.Count)) edges.Add(edge);
        }
        return new FeatureLevels([.. edges], mayBeAbsent ? levels - 1 : null);
    }

    /// <summary>Midpoints between neighbouring distinct numbers: all of them if they fit, else those that cut the table into parts as equal as can be.</summary>
    private static List<double> Quantiles(double[] column, int available)
    {
        var cuts = new List<(double Edge, int Below)>();
        for (int i = 1; i < column.Length; i++)
        {
            double edge = Midpoint(column[i - 1], column[i]);
            if (column[i] > column[i - 1]) cuts.Add((edge, i));
        }
        if (cuts.Count <= available) return [.. cuts.Select(cut => cut.Edge)];
        // Each edge is the cut nearest to an equal share of the rows that are left: heavy numbers, such as zero, use up one level and not more.
        var edges = new List<double>();
        for (int at = 0, left = available, done = 0; left > 0; left--)
        {
            double aim = done + (column.Length - done) / (left + 1.0);
            int last = cuts.Count - left; // later cuts must remain for later edges
            while (at < last && Math.Abs(cuts[at + 1].Below - aim) <= Math.Abs(cuts[at].Below - aim)) at++;
            edges.Add(cuts[at].Edge);
            done = cuts[at++].Below;
        }
        return edges;
    }

    // At least a, below b, whatever their sizes.
    private static double Midpoint(double a, double b)
    {
        double middle = a / 2 + b / 2;
        return middle >= a && middle < b ? middle : a;
    }

    // A category c is the numbers from c up to c + 1, without it; 0 begins after -1, since numbers are truncated.
    private static void AddCategories(SortedSet<double> edges, IReadOnlyList<TreeNode> nodes, double[] column, int available)
    {
        IEnumerable<int> members = nodes.SelectMany(node => node.Members), seen = column.Where(value => value > -1 && value < int.MaxValue).Select(value => (int)value);
        var categories = new SortedSet<int>(members.Concat(seen));
        if (categories.Count == 0) return;
        // All up to the largest, if they fit: then nothing is told but that one.
        if (categories.Max + 2L <= available) categories = [.. Enumerable.Range(0, categories.Max + 1)];
        foreach (int category in categories)
        {
            edges.Add(category == 0 ? -1 : Math.BitDecrement(category));
            edges.Add(Math.BitDecrement(category + 1.0));
        }
    }

    private static HomomorphicException TooMany(int feature, string what, int levels) =>
        new(HomomorphicError.ForestLevels, $"Feature {feature} has {what}, more than {levels} levels can hold. Use more levels (at most 256), edges from the calibration table, or fewer categories.");
}
