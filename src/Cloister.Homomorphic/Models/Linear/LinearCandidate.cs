using Cloister.Homomorphic.Ring;
using Cloister.Homomorphic.Rlwe;

namespace Cloister.Homomorphic.Models;

/// <summary>A quantiser with the most precise weights that have room beside it.</summary>
internal sealed record LinearCandidate(RlweParameters Parameters, int AnswerBits, FeatureSpecification[] Features, LinearWeights Weights, double Scale, double Loss)
{
    // Its 2^-30 is still a normal number: the scale of the sums.
    private const double LeastWeight = 1e-290;

    /// <summary>Null where no weights have room.</summary>
    /// <param name="model">The model.</param>
    /// <param name="features">How its features become integers.</param>
    /// <param name="measure">What tells how good the result is.</param>
    /// <param name="ring">The ring.</param>
    /// <param name="options">What for.</param>
    internal static LinearCandidate? Fit(LinearModel model, FeatureSpecification[] features, LinearAccuracy measure, RingParameters ring, LinearOptions options)
    {
        int[][] rows = measure.Quantise(features);
        double largest = model.Weights.Max(weights => weights.Select((weight, i) => Math.Abs(weight * features[i].Step)).Max());
        if (!(largest > LeastWeight) || !double.IsFinite(largest)) throw new HomomorphicException(HomomorphicError.ModelShape, "All weights are zero or next to it, or one is too large for the range of its feature.");
        // From 2^29 down by fourth roots of two: rounded once, so that the largest weight's error is below a tenth of its last bit.
        for (double size = 1 << 29; size >= 2; size /= 1.189207115002721)
        {
            double scale = largest / size;
            int[] weights = [.. model.Weights.SelectMany(weights => weights.Select((weight, i) => (int)Math.Round(weight * features[i].Step / scale)))];
            if (Room(model, features, weights, scale, rows, measure, ring, options) is { } candidate) return candidate;
        }
        return null;
    }

    private static LinearCandidate? Room(LinearModel model, FeatureSpecification[] features, int[] integers, double scale, int[][] rows, LinearAccuracy measure, RingParameters ring, LinearOptions options)
    {
        // The cheap test first: one score's weights are at least as large as all scores' on average, and all features may be at their ends.
        long total = integers.Sum(weight => Math.Abs((long)weight));
        if (total == 0 || LinearParameters.Choose(ring, total, total / model.Scores * features[0].Maximum, options) is null) return null;
        double[] intercepts = measure.Intercepts(rows, integers, scale);
        if (intercepts.Any(intercept => Math.Abs(intercept) >= 1L << 47)) return null;
        var weights = new LinearWeights(features.Length, integers, [.. intercepts.Select(intercept => (long)intercept)]);
        long sum = Enumerable.Range(0, model.Scores).Max(k => LinearBudget.Sum(weights.Of(k), weights.Intercept(k), features));
        return LinearParameters.Choose(ring, total, sum, options) is var (parameters, bits)
            ? new LinearCandidate(parameters, bits, features, weights, scale, measure.Loss(rows, integers, intercepts, scale))
            : null;
    }
}
