namespace Cloister.Homomorphic.Models;

/// <summary>Scores that are weighted sums of the features: linear, logistic and multinomial regression, generalised linear models, linear support vector machines.</summary>
public sealed record LinearModel : PlainModel
{
    /// <summary>One array of weights a score, as long as the features.</summary>
    public required IReadOnlyList<double[]> Weights { get; init; }

    /// <summary>One number a score.</summary>
    public required IReadOnlyList<double> Intercepts { get; init; }

    /// <inheritdoc/>
    public override int Scores => Weights.Count;

    /// <inheritdoc/>
    public override void Score(ReadOnlySpan<double> row, Span<double> scores)
    {
        for (int k = 0; k < Weights.Count; k++)
        {
            double sum = Intercepts[k];
            double[] weights = Weights[k];
            for (int i = 0; i < weights.Length; i++) sum += weights[i] * row[i];
            scores[k] = sum;
        }
    }
}
