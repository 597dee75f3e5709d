using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Import.Xgboost;

/// <summary>Reads XGBoost's boosters: trees (gbtree, dart) and weighted sums (gblinear).</summary>
internal static class XgboostBooster
{
    public static PlainModel Read(XgboostValue booster, int features, int scores, double[] bases, ImportOptions options)
    {
        string name = booster["name"].Text();
        switch (name)
        {
            case "gbtree":
                booster.Demand("model", "name");
                return Trees(booster["model"], null, features, scores, bases, options);
            case "dart":
                booster.Demand("gbtree", "name", "weight_drop");
                return Trees(booster["gbtree"]["model"], booster["weight_drop"], features, scores, bases, options);
            case "gblinear":
                booster.Demand("model", "name");
                return Linear(booster["model"], features, scores, bases);
            default:
                throw new ImportException(ImportError.UnsupportedObjective, $"The XGBoost booster '{name}' is not read; gbtree, dart and gblinear are.");
        }
    }

    private static Forest Trees(XgboostValue model, XgboostValue? drops, int features, int scores, double[] bases, ImportOptions options)
    {
        model.Demand("cats", "gbtree_model_param", "iteration_indptr", "tree_info", "trees");
        // From version 3.1 on a model may number categories otherwise than its rows do.
        if (model.Find("cats")?.Find("enc") is { Length: > 0 })
            throw new ImportException(ImportError.Unsupported, "The XGBoost model renumbers categories (model.cats); train on category numbers.");
        XgboostValue trees = model["trees"];
        int count = trees.Length;
        if (count == 0) throw new ImportException(ImportError.MissingMember, "The XGBoost model has no trees.");
        if (count > options.MaxTrees) throw new ImportException(ImportError.TooLarge, $"The model has more than {options.MaxTrees} trees.");
        int[] groups = model["tree_info"].Integers(count);
        double[] weights = drops?.Numbers(count) ?? [.. Enumerable.Repeat(1.0, count)];
        if (!Array.TrueForAll(groups, group => (uint)group < (uint)scores))
            throw new ImportException(ImportError.OutOfRange, $"The XGBoost model's tree_info names a score beyond the {scores} there are.");
        var assembler = new TreeAssembler(options, features, scores);
        return new Forest
        {
            Features = [],
            BaseScores = bases,
            Trees = [.. trees.Items.Select((tree, i) => new XgboostTree(tree, groups[i], scores, weights[i]).Assemble(assembler))],
        };
    }

    // weights[feature * scores + score]; the biases stand last.
    private static LinearModel Linear(XgboostValue model, int features, int scores, double[] bases)
    {
        model.Demand("weights", "boosted_rounds", "param");
        double[] weights = model["weights"].Numbers(checked((features + 1) * scores));
        return new LinearModel
        {
            Features = [],
            Weights = [.. Enumerable.Range(0, scores).Select(k => Enumerable.Range(0, features).Select(i => weights[i * scores + k]).ToArray())],
            Intercepts = [.. Enumerable.Range(0, scores).Select(k => weights[features * scores + k] + bases[k])],
        };
    }
}
