using Cloister.Partitioning.Algebra;

namespace Cloister.Partitioning.Labels;

/// <summary>How alike the columns of two classifiers' answers to the same pictures are.</summary>
internal static class ColumnCorrelation
{
    // Classes that no picture is like differ only in numbers that softmax made tiny; below this they are noise.
    private const double Least = 1e-10;

    /// <summary>Pearson's correlation of logarithms of probabilities, each picture's mean taken away: of the logits, up to that mean.</summary>
    /// <returns>Row-major [columns of one, columns of other]; 0 where a column is constant.</returns>
    public static float[] Of(Answers one, Answers other, MatrixProduct product)
    {
        var correlations = new float[one.Classes * other.Classes];
        product.MultiplyTransposed(Standardised(one), Standardised(other), correlations, one.Pictures, one.Classes, other.Classes);
        return correlations;
    }

    /// <summary>Logarithms of probabilities, each picture's mean taken away; row-major [pictures, classes].</summary>
    public static float[] Logits(Answers answers)
    {
        int classes = answers.Classes;
        var values = new float[answers.Values.Length];
        for (int picture = 0; picture < answers.Pictures; picture++)
        {
            Span<float> row = values.AsSpan(picture * classes, classes);
            double sum = 0;
            for (int i = 0; i < classes; i++)
                sum += row[i] = (float)Math.Log(Math.Max(answers.Values[picture * classes + i], Least));
            for (int i = 0; i < classes; i++)
                row[i] -= (float)(sum / classes);
        }
        return values;
    }

    private static float[] Standardised(Answers answers)
    {
        int classes = answers.Classes;
        float[] values = Logits(answers);
        for (int i = 0; i < classes; i++)
        {
            double sum = 0, squares = 0;
            for (int place = i; place < values.Length; place += classes)
                sum += values[place];
            float mean = (float)(sum / answers.Pictures);
            for (int place = i; place < values.Length; place += classes)
                squares += Math.Pow(values[place] -= mean, 2);
            float scale = squares > 1e-9 * answers.Pictures ? (float)(1 / Math.Sqrt(squares)) : 0;
            for (int place = i; place < values.Length; place += classes)
                values[place] *= scale;
        }
        return values;
    }
}
