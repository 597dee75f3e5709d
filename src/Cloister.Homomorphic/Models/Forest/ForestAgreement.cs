namespace Cloister.Homomorphic.Models;

/// <summary>How far a quantised forest is from the model it was made of, on a table.</summary>
internal static class ForestAgreement
{
    /// <summary>Of a classification, the part of the rows for which another class comes out; of a regression, the mean square of what scores differ by, as a part of the scores' variance.</summary>
    internal static double Difference(Forest model, LevelForest forest, double[] scales, IReadOnlyList<double[]> table)
    {
        var scores = new double[model.Scores];
        var sums = new double[model.Scores];
        double squares = 0, errors = 0;
        int others = 0;
        foreach (double[] row in table)
        {
            model.Score(row, scores);
            double[] quantised = [.. forest.Score(row).Select((score, k) => score * scales[k])];
            if (model.Classes.Count != 0)
            {
                if (Class(model, scores) != Class(model, quantised)) others++;
                continue;
            }
            for (int k = 0; k < scores.Length; k++)
            {
                sums[k] += scores[k];
                squares += scores[k] * scores[k];
                errors += (scores[k] - quantised[k]) * (scores[k] - quantised[k]);
            }
        }
        if (model.Classes.Count != 0) return (double)others / table.Count;
        double variance = squares - sums.Sum(sum => sum * sum / table.Count);
        return errors == 0 ? 0 : errors / variance;
    }

    private static string? Class(Forest model, ReadOnlySpan<double> scores) => ModelAnswer.Of(scores, LinkFunction.Identity, model.Classes, model.Threshold).Class;
}
