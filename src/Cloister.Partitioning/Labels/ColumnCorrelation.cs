using Cloister.Partitioning.Algebra;

namespace Cloister.Partitioning.Labels;

/// <summary>How alike the columns of two classifiers' answers to the same pictures are.</summary>
internal static class ColumnCorrelation
{
    /// <summary>Pearson's correlation of fourth roots of probabilities.</summary>
    /// <returns>Row-major [columns of one, columns of other]; 0 where a column is constant.</returns>
    public static float[] Of(Answers one, Answers other, MatrixProduct product)
    {
        var correlations = new float[one.Classes * other.Classes];
        product.MultiplyTransposed(Standardised(one), Standardised(other), correlations, one.Pictures, one.Classes, other.Classes);
        return correlations;
    }

    /// <summary>
    /// Fourth roots of probabilities, row-major [pictures, classes]. Of probabilities themselves the few pictures that a class is sure of
    /// decide everything, of their logarithms the many that it is sure not to be of; between the two most is found (decision 0163).
    /// </summary>
    public static float[] Roots(Answers answers) => [.. answers.Values.Select(value => MathF.Sqrt(MathF.Sqrt(Math.Max(value, 0))))];

    private static float[] Standardised(Answers answers)
    {
        int classes = answers.Classes;
        float[] values = Roots(answers);
        for (int i = 0; i < classes; i++)
        {
            double sum = 0, squares = 0;
            for (int place = i; place < values.Length; place += classes)
                sum += values[place];
            float mean = (float)(sum / answers.Pictures);
            for (int place = i; place < values.Length; place += classes)
                squares += Math.Pow(values[place] -= mean, 2);
            float scale = squares > 1e-12 * answers.Pictures ? (float)(1 / Math.Sqrt(squares)) : 0;
            for (int place = i; place < values.Length; place += classes)
                values[place] *= scale;
        }
        return values;
    }
}
