namespace Cloister.Homomorphic.Models;

/// <summary>A decrypted row.</summary>
/// <param name="Scores">The model's scores, before the link.</param>
/// <param name="Values">After the link: probabilities, or the prediction itself.</param>
/// <param name="Class">The most likely class; null for a regression.</param>
public sealed record ModelAnswer(IReadOnlyList<double> Scores, IReadOnlyList<double> Values, string? Class)
{
    /// <summary>Applies a link to scores and chooses a class.</summary>
    /// <param name="scores">The scores.</param>
    /// <param name="link">What becomes of them.</param>
    /// <param name="classes">The classes; empty for a regression.</param>
    /// <param name="threshold">Of two classes with one score, the second is chosen where the score is greater.</param>
    public static ModelAnswer Of(ReadOnlySpan<double> scores, LinkFunction link, IReadOnlyList<string> classes, double threshold)
    {
        double[] values = scores.ToArray();
        switch (link)
        {
            case LinkFunction.Logistic:
                for (int i = 0; i < values.Length; i++) values[i] = 1 / (1 + Math.Exp(-values[i]));
                break;
            case LinkFunction.Exponential:
                for (int i = 0; i < values.Length; i++) values[i] = Math.Exp(values[i]);
                break;
            case LinkFunction.Softmax:
                double largest = values.Max(), sum = 0;
                for (int i = 0; i < values.Length; i++) sum += values[i] = Math.Exp(values[i] - largest);
                for (int i = 0; i < values.Length; i++) values[i] /= sum;
                break;
        }
        return new ModelAnswer(scores.ToArray(), values, Choose(scores, classes, threshold));
    }

    private static string? Choose(ReadOnlySpan<double> scores, IReadOnlyList<string> classes, double threshold)
    {
        if (classes.Count == 0) return null;
        if (scores.Length == 1 && classes.Count == 2) return classes[scores[0] > threshold ? 1 : 0];
        int best = 0;
        for (int i = 1; i < scores.Length; i++)
            if (scores[i] > scores[best]) best = i;
        return classes[best];
    }
}
