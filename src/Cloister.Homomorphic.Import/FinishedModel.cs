using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Import;

/// <summary>What all readers do last: names, and one score instead of two where two classes need no more.</summary>
internal static class FinishedModel
{
    /// <summary>Tolerance for leaves whose two probabilities add up to the tree's share; files carry binary32.</summary>
    private const double Share = 1e-6;

    /// <param name="model">Scores; its features are not named yet.</param>
    /// <param name="features">The file's own names; none where it has none.</param>
    /// <param name="options">May hold other names.</param>
    public static PlainModel Of(PlainModel model, IReadOnlyList<string> features, ImportOptions options)
    {
        int count = model is LinearModel linear ? linear.Weights[0].Length : features.Count > 0 ? features.Count : options.Features?.Count ?? 0;
        IReadOnlyList<string> names = options.Features ?? (features.Count > 0 ? features : [.. Enumerable.Range(0, count).Select(i => $"Column_{i}")]);
        if (names.Count != count) throw new ImportException(ImportError.LengthMismatch, $"{names.Count} names were given for {count} features.");
        if (names.Distinct(StringComparer.Ordinal).Count() != names.Count || names.Any(string.IsNullOrWhiteSpace))
            throw new ImportException(ImportError.Malformed, "Two features have one name, or one has none. Give the features other names.");
        model = OneScore(model) with { Features = [.. names] };
        return Named(model, options);
    }

    private static PlainModel Named(PlainModel model, ImportOptions options)
    {
        IReadOnlyList<string> classes = options.Classes ?? model.Classes;
        if (classes.Count == 0) return model;
        if (classes.Count != Math.Max(model.Scores, 2)) throw new ImportException(ImportError.LengthMismatch, $"{classes.Count} classes were named for {model.Scores} scores.");
        if (classes.Distinct(StringComparer.Ordinal).Count() != classes.Count) throw new ImportException(ImportError.Malformed, "Two classes have one name.");
        return model with { Classes = [.. classes] };
    }

    // One score makes a smaller answer, and says less of the model.
    private static PlainModel OneScore(PlainModel model)
    {
        if (model.Scores != 2 || model.Classes.Count != 2) return model;
        return (model, model.Link) switch
        {
            (LinearModel linear, LinkFunction.Softmax) => Difference(linear),
            (Forest forest, LinkFunction.Softmax) => Difference(forest),
            (LinearModel linear, _) when AreOpposite(linear) => linear with { Weights = [linear.Weights[1]], Intercepts = [linear.Intercepts[1]] },
            (Forest forest, LinkFunction.Identity) when TotalShare(forest) is { } total => Second(forest) with { Threshold = total / 2 },
            _ => model,
        };
    }

    // exp(b) / (exp(a) + exp(b)) = 1 / (1 + exp(-(b - a))).
    private static LinearModel Difference(LinearModel linear) => linear with
    {
        Weights = [[.. linear.Weights[1].Zip(linear.Weights[0], (b, a) => b - a)]],
        Intercepts = [linear.Intercepts[1] - linear.Intercepts[0]],
        Link = LinkFunction.Logistic,
    };

    private static Forest Difference(Forest forest) => Map(forest, values => values[1] - values[0]) with { Link = LinkFunction.Logistic };

    private static Forest Second(Forest forest) => Map(forest, values => values[1]);

    private static Forest Map(Forest forest, Func<double[], double> one) => forest with
    {
        BaseScores = [one([.. forest.BaseScores])],
        Trees = [.. forest.Trees.Select(tree => new DecisionTree([.. tree.Nodes.Select(node => node.IsLeaf ? node with { Values = [one(node.Values!)] } : node)]))],
    };

    private static bool AreOpposite(LinearModel linear) =>
        linear.Intercepts[0] == -linear.Intercepts[1] && linear.Weights[0].Zip(linear.Weights[1], (a, b) => a == -b).All(equal => equal);

    // The sum of both probabilities where every row has the same; null where rows differ, or where nothing is voted.
    private static double? TotalShare(Forest forest)
    {
        double total = forest.BaseScores[0] + forest.BaseScores[1];
        foreach (DecisionTree tree in forest.Trees)
        {
            double? share = null;
            foreach (TreeNode leaf in tree.Nodes.Where(node => node.IsLeaf))
            {
                double sum = leaf.Values![0] + leaf.Values[1];
                share ??= sum;
                if (Math.Abs(sum - share.Value) > Share * Math.Abs(share.Value)) return null;
            }
            total += share ?? 0;
        }
        return total > 0 ? total : null;
    }
}
