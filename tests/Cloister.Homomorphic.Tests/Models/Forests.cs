using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Tests.Models;

/// <summary>Forests and tables made by a seed.</summary>
internal static class Forests
{
    /// <summary>What kind of forest is made.</summary>
    internal sealed record Kind(int Seed, int Trees = 5, int Depth = 3, int Features = 4, int Scores = 1, bool Shared = false, bool Absent = false, bool Categories = false, bool Full = false);

    internal static Forest Make(Kind kind)
    {
        var random = new Random(kind.Seed);
        return new Forest
        {
            Features = [.. Enumerable.Range(0, kind.Features).Select(f => $"feature {f}")],
            Classes = kind.Scores > 1 ? [.. Enumerable.Range(0, kind.Scores).Select(k => $"class {k}")] : [],
            BaseScores = [.. Enumerable.Range(0, kind.Scores).Select(_ => random.NextDouble() - 0.5)],
            Trees = [.. Enumerable.Range(0, kind.Trees).Select(tree => Tree(random, kind, tree))],
        };
    }

    /// <summary>Rows with few distinct numbers; the last feature is a category where there are any.</summary>
    internal static double[][] Table(Kind kind, int rows)
    {
        var random = new Random(kind.Seed + 1000);
        return [.. Enumerable.Range(0, rows).Select(_ => Enumerable.Range(0, kind.Features).Select(f =>
            kind.Absent && random.Next(5) == 0 ? double.NaN : kind.Categories && f == kind.Features - 1 ? random.Next(8) : random.Next(40) / 4.0).ToArray())];
    }

    private static DecisionTree Tree(Random random, Kind kind, int number)
    {
        var nodes = new List<TreeNode>();
        Grow(random, kind, number, kind.Depth, nodes);
        return new DecisionTree(nodes);
    }

    private static int Grow(Random random, Kind kind, int number, int depth, List<TreeNode> nodes)
    {
        int at = nodes.Count;
        if (depth == 0 || (!kind.Full && at > 0 && random.Next(8) == 0))
        {
            var values = new double[kind.Scores];
            for (int k = 0; k < values.Length; k++)
                if (kind.Shared || k == number % kind.Scores) values[k] = random.NextDouble() * 2 - 1;
            nodes.Add(new TreeNode { Values = values });
            return at;
        }
        nodes.Add(new TreeNode());
        int feature = random.Next(kind.Features), yes = Grow(random, kind, number, depth - 1, nodes), no = Grow(random, kind, number, depth - 1, nodes);
        bool category = kind.Categories && feature == kind.Features - 1;
        nodes[at] = new TreeNode
        {
            Feature = feature,
            Test = category ? NodeTest.Member : random.Next(2) == 0 ? NodeTest.Less : NodeTest.LessOrEqual,
            Threshold = random.Next(80) / 8.0,
            Members = category ? [.. Enumerable.Range(0, 8).Where(_ => random.Next(2) == 0)] : [],
            Yes = yes,
            No = no,
            AbsentIsYes = kind.Absent && random.Next(2) == 0,
        };
        return at;
    }
}
