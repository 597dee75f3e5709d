using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Models;

/// <summary>Compiles decision trees, random forests and gradient boosting for encrypted rows.</summary>
public static class ForestCompiler
{
    // When levels are chosen, a tenth of a point of accuracy may be lost, or of a regression's variance not be explained.
    private const double Tolerance = 0.001;

    /// <summary>Chooses levels, quantises thresholds and leaves, and lays the model out.</summary>
    /// <param name="model">The model in the clear.</param>
    /// <param name="calibration">Rows like those that will be asked, NaN where a feature is absent: levels are chosen by them.</param>
    /// <param name="options">What it is compiled for.</param>
    /// <exception cref="HomomorphicException">The model or the table is refused, or the model is beyond what the design can hold.</exception>
    public static CompiledModel Compile(Forest model, IReadOnlyList<double[]> calibration, ForestOptions options)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(options.Name);
        if (options.Levels is { } asked && (asked is < ForestParameters.LeastLevels or > ForestParameters.MostLevels || !int.IsPow2(asked)))
            throw new ArgumentOutOfRangeException(nameof(options), $"A feature has 16, 32, 64, 128 or 256 levels, not {asked}.");
        ForestCheck.Require(model, calibration);
        double[][] columns = [.. Enumerable.Range(0, model.Features.Count).Select(f => calibration.Select(row => row[f]).Where(value => !double.IsNaN(value)).Order().ToArray())];
        bool[] absent = MayBeAbsent(model, calibration);
        double[] scales = [.. Enumerable.Range(0, model.Scores).Select(score => LeafScales.Choose(model, score))];
        if (options.Levels is { } given) return LayOut(model, Map(model, columns, absent, scales, given, options.ExactThresholds), scales, given, options);
        for (int levels = ForestParameters.LeastLevels; ; levels *= 2)
        {
            bool last = levels == ForestParameters.MostLevels;
            LevelForest forest;
            try
            {
                forest = Map(model, columns, absent, scales, levels, options.ExactThresholds);
            }
            catch (HomomorphicException refusal) when (refusal.Error == HomomorphicError.ForestLevels && !last)
            {
                continue; // more levels may hold what these cannot
            }
            if (last || ForestAgreement.Difference(model, forest, scales, calibration) <= Tolerance) return LayOut(model, forest, scales, levels, options);
        }
    }

    private static LevelForest Map(Forest model, double[][] columns, bool[] absent, double[] scales, int levels, bool exact)
    {
        ILookup<int, TreeNode> questions = model.Trees.SelectMany(tree => tree.Nodes).Where(node => !node.IsLeaf).ToLookup(node => node.Feature);
        FeatureLevels[] features = [.. columns.Select((column, f) => LevelEdges.Choose(f, [.. questions[f]], column, absent[f], levels, exact))];
        var mapping = new LevelMapping(features, columns, values => [.. values.Select((value, k) => (int)LeafScales.Round(value, scales[k]))]);
        LevelTree[] trees = [.. model.Trees.Select(mapping.Map)];
        int deepest = trees.Max(tree => tree.Leaves.Max(leaf => leaf.Path.Count));
        if (deepest > ForestCheck.MaximumDepth)
            throw new HomomorphicException(HomomorphicError.ForestDepth, $"A path asks {deepest} questions; at most {ForestCheck.MaximumDepth} can be held. Train shallower trees, or use fewer levels.");
        int[] offsets = [.. model.BaseScores.Select((score, k) => (int)LeafScales.Round(score, scales[k]))];
        return new LevelForest(features, Parts(trees, offsets), offsets);
    }

    // A tree whose leaves have values for one score belongs to it; if one has values for more, all scores share all trees.
    private static IReadOnlyList<LevelTree>[] Parts(LevelTree[] trees, int[] offsets)
    {
        int scores = offsets.Length;
        var parts = new List<LevelTree>[scores];
        for (int k = 0; k < scores; k++) parts[k] = [];
        foreach (LevelTree tree in trees)
        {
            int[] with = [.. Enumerable.Range(0, scores).Where(k => tree.Leaves.Any(leaf => leaf.Values[k] != 0))];
            if (with.Length > 1) return [trees];
            if (with.Length == 1) parts[with[0]].Add(new LevelTree([.. tree.Leaves.Select(leaf => leaf with { Values = [leaf.Values[with[0]]] })]));
        }
        // A score without a tree gets one that always says zero: its offset arrives as every other's.
        foreach (List<LevelTree> part in parts)
            if (part.Count == 0) part.Add(new LevelTree([new LevelLeaf([], [0])]));
        return [.. parts];
    }

    private static bool[] MayBeAbsent(Forest model, IReadOnlyList<double[]> calibration)
    {
        var absent = new bool[model.Features.Count];
        foreach (double[] row in calibration)
            for (int f = 0; f < absent.Length; f++) absent[f] |= double.IsNaN(row[f]);
        foreach (TreeNode node in model.Trees.SelectMany(tree => tree.Nodes).Where(node => !node.IsLeaf && node.AbsentIsYes)) absent[node.Feature] = true;
        return absent;
    }

    private static CompiledForest LayOut(Forest model, LevelForest forest, double[] scales, int levels, ForestOptions options)
    {
        RlweParameters parameters = ForestParameters.Create(options.Level);
        ClientSpecification specification = ForestSpecification.Of(model, forest, scales, levels, options, parameters);
        byte[] server = ForestServerHalf.Write(forest);
        return new CompiledForest(CompiledModelFile.WithDigest(specification, server), parameters, forest);
    }
}
