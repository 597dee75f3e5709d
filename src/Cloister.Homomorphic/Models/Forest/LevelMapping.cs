namespace Cloister.Homomorphic.Models;

/// <summary>Maps the trees of a forest onto levels. Questions that levels leave open to one answer only are left out.</summary>
internal sealed class LevelMapping
{
    private readonly FeatureLevels[] _levels;
    private readonly LevelSet[] _all;
    private readonly double[][] _columns;
    private readonly Func<double[], int[]> _quantise;
    private readonly int[][] _ranks; // of a feature: how many numbers of its column lie at or below each edge

    /// <summary>Prepares a mapping.</summary>
    /// <param name="levels">Of every feature.</param>
    /// <param name="columns">Every feature's numbers in the calibration table, ascending.</param>
    /// <param name="quantise">A leaf's values as integers.</param>
    internal LevelMapping(FeatureLevels[] levels, double[][] columns, Func<double[], int[]> quantise)
    {
        (_levels, _columns, _quantise) = (levels, columns, quantise);
        _all = [.. levels.Select(feature => feature.All)];
        _ranks = [.. levels.Select((feature, f) => feature.Edges.Select(edge => Rank(columns[f], edge)).ToArray())];
    }

    internal LevelTree Map(DecisionTree tree)
    {
        var leaves = new List<LevelLeaf>();
        Walk(tree, 0, [.. _all], [], leaves);
        return new LevelTree(leaves);
    }

    private void Walk(DecisionTree tree, int at, LevelSet[] possible, List<(LevelQuestion, bool)> path, List<LevelLeaf> leaves)
    {
        TreeNode node = tree.Nodes[at];
        if (node.Values is { } values)
        {
            leaves.Add(new LevelLeaf([.. path], _quantise(values)));
            return;
        }
        LevelSet yes = Yes(node), before = possible[node.Feature], inside = before & yes, outside = before - yes;
        if (inside.IsEmpty || outside.IsEmpty)
        {
            Walk(tree, outside.IsEmpty ? node.Yes : node.No, possible, path, leaves);
            return;
        }
        // Every leaf below has this very question: whatever a query makes of it, yes and no cannot both be right.
        foreach (bool answer in (ReadOnlySpan<bool>)[true, false])
        {
            possible[node.Feature] = answer ? inside : outside;
            path.Add((new LevelQuestion(node.Feature, yes), answer));
            Walk(tree, answer ? node.Yes : node.No, possible, path, leaves);
            path.RemoveAt(path.Count - 1);
        }
        possible[node.Feature] = before;
    }

    private LevelSet Yes(TreeNode node)
    {
        FeatureLevels feature = _levels[node.Feature];
        LevelSet yes = default;
        if (node.Test == NodeTest.Member)
        {
            // A level is the numbers up to and with its upper edge.
            for (int level = 0; level <= feature.Edges.Length; level++)
            {
                double value = level < feature.Edges.Length ? feature.Edges[level] : feature.Edges.Length == 0 ? double.NaN : Math.BitIncrement(feature.Edges[^1]);
                if (value > -1 && value < int.MaxValue && node.Members.Contains((int)value)) yes |= LevelSet.Of(level);
            }
        }
        else
        {
            yes = LevelSet.Below(LevelsUpTo(node));
        }
        return node.AbsentIsYes && feature.AbsentLevel is { } absent ? yes | LevelSet.Of(absent) : yes;
    }

    // The number of levels that answer yes. A threshold that is no edge is moved to the edge with the fewest rows between, or past all of them.
    private int LevelsUpTo(TreeNode node)
    {
        double threshold = node.Test == NodeTest.Less ? Math.BitDecrement(node.Threshold) : node.Threshold;
        double[] edges = _levels[node.Feature].Edges, column = _columns[node.Feature];
        int exact = Array.BinarySearch(edges, threshold);
        if (exact >= 0) return exact + 1;
        int rank = Rank(column, threshold), best = 0, distance = rank; // no level answers yes: as if no row did
        for (int i = 0; i < edges.Length; i++)
        {
            int between = Math.Abs(_ranks[node.Feature][i] - rank);
            if (between < distance || (between == distance && between != 0 && (best == 0 || Math.Abs(edges[i] - threshold) < Math.Abs(edges[best - 1] - threshold)))) (best, distance) = (i + 1, between);
        }
        return column.Length - rank < distance || double.IsPositiveInfinity(threshold) ? edges.Length + 1 : best;
    }

    private static int Rank(double[] column, double value)
    {
        int below = 0, above = column.Length;
        while (below < above)
        {
            int middle = (below + above) / 2;
            if (column[middle] <= value) below = middle + 1;
            else above = middle;
        }
        return below;
    }
}
