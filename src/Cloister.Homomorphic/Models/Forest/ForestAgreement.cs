namespace Cloister.Homomorphic.Models;

/// <summary>How far a quantised forest is from the model it was made of, on a table.</summary>
internal static class ForestAgreement
{
    // Of the rows of a classification, this many times the part may get another class that may be lost.
    private const double Ties = 5;

    /// <summary>
    /// Of a classification, the part of the rows that is lost by deciding otherwise, if the model's probabilities are right: a row that is nearly a tie may
    /// go either way and little is lost; but no less than a fifth of the part for which another class comes out. Of a regression, the mean square of what
    /// scores differ by, as a part of the scores' variance.
    /// </summary>
    internal static double Difference(Forest model, LevelForest forest, double[] scales, IReadOnlyList<double[]> table)
    {
        var scores = new double[model.Scores];
        var sums = new double[model.Scores];
        double squares = 0, errors = 0, lost = 0;
        int others = 0;
        foreach (double[] row in table)
        {
            model.Score(row, scores);
            double[] quantised = [.. forest.Score(row).Select((score, k) => score * scales[k])];
            if (model.Classes.Count != 0)
            {
                ModelAnswer right = Answer(model, scores), chosen = Answer(model, quantised);
                if (right.Class == chosen.Class) continue;
                others++;
                lost += Margin(model, right.Values, chosen.Class!);
                continue;
            }
            for (int k = 0; k < scores.Length; k++)
            {
                sums[k] += scores[k];
                squares += scores[k] * scores[k];
                errors += (scores[k] - quantised[k]) * (scores[k] - quantised[k]);
            }
        }
        if (model.Classes.Count != 0) return Math.Max(lost, others / Ties) / table.Count;
        double variance = squares - sums.Sum(sum => sum * sum / table.Count);
        return errors == 0 ? 0 : errors / variance;
    }

    // By how much the model's class is likelier than another; one, where its values are no probabilities.
    private static double Margin(Forest model, IReadOnlyList<double> values, string other)
    {
        if (values.Any(value => value is < 0 or > 1)) return 1;
        return values.Count == 1 ? Math.Abs(2 * values[0] - 1) : values.Max() - values[model.Classes.ToList().IndexOf(other)];
    }

    private static ModelAnswer Answer(Forest model, ReadOnlySpan<double> scores) => ModelAnswer.Of(scores, model.Link, model.Classes, model.Threshold);
}
