using System.Globalization;
using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Import.Xgboost;

/// <summary>What XGBoost's objective makes of margins (PredTransform), and of the global bias, which files hold as a prediction (ProbToMargin in src/objective).</summary>
/// <param name="Link">The link.</param>
/// <param name="Bias">How the bias becomes a margin.</param>
/// <param name="Classes">The classes; none for a regression.</param>
internal sealed record XgboostObjective(LinkFunction Link, LinkFunction Bias, IReadOnlyList<string> Classes)
{
    public static XgboostObjective Of(string name, int scores)
    {
        XgboostObjective objective = name switch
        {
            "reg:squarederror" or "reg:linear" or "reg:squaredlogerror" or "reg:pseudohubererror" or "reg:absoluteerror" or "reg:quantileerror"
                or "rank:pairwise" or "rank:ndcg" or "rank:map" => new(LinkFunction.Identity, LinkFunction.Identity, []),
            "binary:logistic" => new(LinkFunction.Logistic, LinkFunction.Logistic, ["0", "1"]),
            "reg:logistic" => new(LinkFunction.Logistic, LinkFunction.Logistic, []),
            "binary:logitraw" => new(LinkFunction.Identity, LinkFunction.Logistic, ["0", "1"]),
            "binary:hinge" => new(LinkFunction.Identity, LinkFunction.Identity, ["0", "1"]),
            "multi:softprob" or "multi:softmax" => new(LinkFunction.Softmax, LinkFunction.Identity,
                [.. Enumerable.Range(0, scores).Select(i => i.ToString(CultureInfo.InvariantCulture))]),
            "count:poisson" or "reg:gamma" or "reg:tweedie" or "survival:cox" or "survival:aft" => new(LinkFunction.Exponential, LinkFunction.Exponential, []),
            _ => throw new ImportException(ImportError.UnsupportedObjective, $"The XGBoost objective '{name}' is not read."),
        };
        return objective.Classes.Count == 0 || objective.Classes.Count == Math.Max(scores, 2) && !(scores > 1 && name.StartsWith("binary:", StringComparison.Ordinal))
            ? objective
            : throw new ImportException(ImportError.LengthMismatch, $"The XGBoost objective '{name}' does not go with {scores} scores.");
    }

    /// <summary>The bias of every score.</summary>
    public double[] Margins(double[] bases, int scores)
    {
        if (bases.Length != 1 && bases.Length != scores)
            throw new ImportException(ImportError.LengthMismatch, $"The XGBoost model has {bases.Length} base scores for {scores} scores.");
        double[] margins = new double[scores];
        for (int i = 0; i < scores; i++)
        {
            double value = bases[bases.Length == 1 ? 0 : i];
            margins[i] = Bias switch
            {
                LinkFunction.Logistic => -Math.Log(1 / value - 1),
                LinkFunction.Exponential => Math.Log(value),
                _ => value,
            };
            if (!double.IsFinite(margins[i])) throw new ImportException(ImportError.NotFinite, $"The XGBoost model's base_score {value} gives no finite margin.");
        }
        return margins;
    }
}
