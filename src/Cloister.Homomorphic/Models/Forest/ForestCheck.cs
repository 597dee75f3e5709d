namespace Cloister.Homomorphic.Models;

/// <summary>Holds a forest and its calibration table to what a compiler takes.</summary>
internal static class ForestCheck
{
    /// <summary>The most questions on a path. A leaf's factors are below 2^12 each, and their sum must stay below t.</summary>
    internal const int MaximumDepth = 15;

    /// <summary>The most leaves of a whole forest.</summary>
    internal const int MaximumLeaves = 1 << 17;

    /// <summary>The most scores.</summary>
    internal const int MaximumScores = 64;

    /// <summary>The most features.</summary>
    internal const int MaximumFeatures = 4096;

    internal static void Require(Forest model, IReadOnlyList<double[]> calibration)
    {
        if (model.Features.Count is 0 or > MaximumFeatures || model.Scores is 0 or > MaximumScores)
            throw new HomomorphicException(HomomorphicError.ModelSize, $"The forest has {model.Features.Count} features and {model.Scores} scores. It may have 1 to {MaximumFeatures} features and 1 to {MaximumScores} scores.");
        if (model.Trees.Count == 0 || model.BaseScores.Any(score => !double.IsFinite(score))) throw Malformed("it has no tree, or a base score is not finite");
        if (model.Classes.Count != 0 && model.Classes.Count != model.Scores && (model.Classes.Count, model.Scores) != (2, 1)) throw Malformed($"{model.Classes.Count} classes do not belong to {model.Scores} scores");
        int leaves = 0;
        for (int tree = 0; tree < model.Trees.Count; tree++)
        {
            leaves += Require(model, model.Trees[tree], tree);
            if (leaves > MaximumLeaves) throw new HomomorphicException(HomomorphicError.ForestLeaves, $"The forest has more than {MaximumLeaves} leaves. Train fewer or smaller trees.");
        }
        if (calibration.Count == 0 || calibration.Any(row => row.Length != model.Features.Count || row.Any(double.IsInfinity)))
            throw new HomomorphicException(HomomorphicError.Calibration, $"The calibration table has no row, a row without exactly {model.Features.Count} features, or an infinite number.");
    }

    // Children stand behind their parents and have one each: so nodes are a tree, and looking at each once ends.
    private static int Require(Forest model, DecisionTree tree, int number)
    {
        var depths = new int[tree.Nodes.Count];
        Array.Fill(depths, -1);
        if (depths.Length == 0) throw Malformed($"tree {number} is empty");
        depths[0] = 0;
        int leaves = 0;
        for (int at = 0; at < depths.Length; at++)
        {
            TreeNode node = tree.Nodes[at];
            if (depths[at] < 0) throw Malformed($"node {at} of tree {number} has no parent before it");
            if (node.Values is { } values)
            {
                leaves++;
                if (values.Length != model.Scores || values.Any(value => !double.IsFinite(value))) throw Malformed($"leaf {at} of tree {number} has not {model.Scores} finite values");
                continue;
            }
            if (node.Feature < 0 || node.Feature >= model.Features.Count || double.IsNaN(node.Threshold) || node.Members.Any(member => member < 0))
                throw Malformed($"node {at} of tree {number} asks nothing that can be answered");
            foreach (int child in (ReadOnlySpan<int>)[node.Yes, node.No])
            {
                if (child <= at || child >= depths.Length || depths[child] >= 0) throw Malformed($"the children of node {at} of tree {number} are not its own, or do not stand behind it");
                depths[child] = depths[at] + 1;
            }
        }
        return leaves;
    }

    private static HomomorphicException Malformed(string reason) => new(HomomorphicError.ModelShape, $"The forest is refused: {reason}.");
}
