using System.Globalization;
using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Import.LightGbm;

/// <summary>What LightGBM's objective makes of raw scores (ConvertOutput in src/objective).</summary>
/// <param name="Link">The link.</param>
/// <param name="Factor">What raw scores are multiplied with before the link.</param>
/// <param name="Classes">The classes; none for a regression.</param>
internal sealed record LightGbmObjective(LinkFunction Link, double Factor, IReadOnlyList<string> Classes)
{
    /// <param name="text">The objective and its parameters; null for a function of the trainer's own, whose raw scores are the prediction.</param>
    /// <param name="scores">How many scores the model has.</param>
    public static LightGbmObjective Of(string? text, int scores)
    {
        string[] words = text?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        string name = words.Length > 0 ? words[0] : "custom";
        LightGbmObjective objective = name switch
        {
            "regression" or "regression_l2" or "regression_l1" or "huber" or "fair" or "quantile" or "mape" or "lambdarank" or "rank_xendcg" or "custom"
                => new(LinkFunction.Identity, 1, []),
            "poisson" or "gamma" or "tweedie" => new(LinkFunction.Exponential, 1, []),
            "cross_entropy" or "xentropy" => new(LinkFunction.Logistic, 1, []),
            "binary" => new(LinkFunction.Logistic, Sigmoid(words), ["0", "1"]),
            "multiclass" or "softmax" => new(LinkFunction.Softmax, 1, Numbered(scores)),
            "multiclassova" or "ova" => new(LinkFunction.Logistic, Sigmoid(words), Numbered(scores)),
            _ => throw new ImportException(ImportError.UnsupportedObjective, $"The LightGBM objective '{name}' is not read."),
        };
        if (words.Contains("sqrt"))
            throw new ImportException(ImportError.UnsupportedObjective, "The LightGBM model was trained on square roots (reg_sqrt), which no link undoes; train without.");
        if (objective.Classes.Count > 0 && objective.Classes.Count != Math.Max(scores, 2) || name == "binary" && scores != 1)
            throw new ImportException(ImportError.LengthMismatch, $"The LightGBM objective '{name}' does not go with {scores} scores.");
        return objective;
    }

    private static double Sigmoid(string[] words)
    {
        const string Key = "sigmoid:";
        if (Array.Find(words, word => word.StartsWith(Key, StringComparison.Ordinal)) is not { } word) return 1;
        return double.TryParse(word.AsSpan(Key.Length), NumberStyles.Float, CultureInfo.InvariantCulture, out double factor) && double.IsFinite(factor) && factor > 0
            ? factor
            : throw new ImportException(ImportError.Malformed, "The LightGBM objective has a sigmoid that is no positive number.");
    }

    private static string[] Numbered(int count) => [.. Enumerable.Range(0, count).Select(i => i.ToString(CultureInfo.InvariantCulture))];
}
