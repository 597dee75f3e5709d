using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Import.Tests;

/// <summary>What a plain model makes of a row.</summary>
internal static class Predictions
{
    public static ModelAnswer Predict(this PlainModel model, double[] row)
    {
        double[] scores = new double[model.Scores];
        model.Score(row, scores);
        return ModelAnswer.Of(scores, model.Link, model.Classes, model.Threshold);
    }

    /// <summary>Checks values after the link; one value of two classes stands for the second.</summary>
    public static void AssertPredicts(this PlainModel model, IReadOnlyList<double[]> rows, IReadOnlyList<float[]> expected, double tolerance = 1e-5)
    {
        for (int i = 0; i < rows.Count; i++)
        {
            IReadOnlyList<double> values = model.Predict(rows[i]).Values;
            for (int k = 0; k < values.Count; k++)
                Assert.True(Math.Abs(expected[i][^(values.Count - k)] - values[k]) <= tolerance * Math.Max(1, Math.Abs(values[k])), $"row {i}, value {k}: {values[k]} instead of {expected[i][^(values.Count - k)]}");
        }
    }
}
