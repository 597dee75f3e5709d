using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Models;

/// <summary>
/// Compiles linear models: chooses how features become integers, integer weights as precise as there is room for, and parameters with which decryption
/// never fails. Of several quantisers it takes the one with the widest ranges whose predictions on the calibration table are the model's own but for a
/// negligible difference, or else the one that comes nearest: rows to come lie further out than any table, and what lies outside is held at the end.
/// </summary>
public static class LinearCompiler
{
    private const int MaximumRows = 2000, MinimumRows = 50, MaximumProducts = 20_000_000;

    // A mean square of differences of probabilities, or of scores in units of their spread: one in a thousand.
    private const double Negligible = 1e-6;

    // The share of the rows that may lie outside at either end, and how much wider the range then is made, in parts of itself; the widest first.
    private static readonly (double Cut, double Margin)[] Ranges = [(0, 1), (0, 0.25), (0, 1 / 16.0), (0.001, 1 / 16.0), (0.005, 1 / 16.0), (0.02, 1 / 16.0)];

    // To either side of the middle.
    private static ReadOnlySpan<int> Steps => [1 << 5, 1 << 7, 1 << 9, 1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14];

    /// <summary>Compiles a model.</summary>
    /// <param name="model">The model in the clear.</param>
    /// <param name="calibration">Rows as the model will be asked, at least one: ranges are taken from them, so clients learn those. Of more than 2000 rows, fewer for large models, every so many is compared.</param>
    /// <param name="options">What for.</param>
    /// <exception cref="HomomorphicException">The model or the table is refused, or there is no room for the model.</exception>
    public static CompiledModel Compile(LinearModel model, IReadOnlyList<double[]> calibration, LinearOptions options)
    {
        RequireModel(model);
        RequireTable(model, calibration);
        var measure = new LinearAccuracy(model, Sample(calibration, model));
        double[][] columns = [.. Enumerable.Range(0, model.Features.Count).Select(i => calibration.Select(row => row[i]).Order().ToArray())];
        RingParameters ring = LinearParameters.Ring(model.Scores, options);
        LinearCandidate? best = null;
        foreach ((double cut, double margin) in Ranges)
        {
            if (best is { Loss: <= Negligible }) break;
            foreach (int steps in Steps)
            {
                FeatureSpecification[] features = LinearQuantiser.FromTable(model.Features, columns, cut, margin, steps);
                if (LinearCandidate.Fit(model, features, measure, ring, options) is not { } candidate) continue;
                if (best is null || candidate.Loss < best.Loss)
                {
                    best?.Weights.Dispose();
                    best = candidate;
                }
                else candidate.Weights.Dispose();
            }
        }
        if (best is null) throw new HomomorphicException(HomomorphicError.NoRoom, $"{model.Scores} scores of {model.Features.Count} features have no room in one product with {(int)options.Level} bits of security. Use fewer features or scores.");
        ClientSpecification client = Describe(model, best, options);
        return LinearCircuit.Create(CompiledModelFile.WithDigest(client, best.Weights.ToBytes()), best.Weights);
    }

    private static ClientSpecification Describe(LinearModel model, LinearCandidate candidate, LinearOptions options) => new()
    {
        Model = options.Name,
        Digest = "",
        Design = ModelDesign.Linear,
        Parameters = ParameterSpecifications.Of(candidate.Parameters, candidate.AnswerBits, options.CircuitPrivacy),
        Features = candidate.Features,
        Layout = new LinearLayout(candidate.Parameters.Ring.Degree, model.Features.Count, model.Scores).ToSpecification(),
        Output = new OutputSpecification
        {
            Link = model.Link,
            Classes = [.. model.Classes],
            Threshold = model.Threshold,
            Scales = [.. Enumerable.Repeat(candidate.Scale, model.Scores)],
            Offsets = new double[model.Scores],
        },
        Learns = LinearDisclosure.Of(model, options),
    };

    private static double[][] Sample(IReadOnlyList<double[]> rows, LinearModel model)
    {
        int most = Math.Clamp(MaximumProducts / (model.Features.Count * model.Scores), MinimumRows, MaximumRows), every = (rows.Count + most - 1) / most;
        return [.. rows.Where((_, i) => i % every == 0)];
    }

    private static void RequireModel(LinearModel model)
    {
        int features = model.Features.Count, scores = model.Scores;
        if (features is 0 or > SpecificationCheck.MaximumFeatures || scores is 0 or > SpecificationCheck.MaximumScores)
            throw new HomomorphicException(HomomorphicError.ModelSize, $"A linear model has 1 to {SpecificationCheck.MaximumFeatures} features and 1 to {SpecificationCheck.MaximumScores} scores, not {features} and {scores}.");
        if (model.Intercepts.Count != scores || model.Weights.Any(weights => weights.Length != features))
            throw new HomomorphicException(HomomorphicError.ModelShape, $"The model has not one intercept a score and {features} weights each.");
        if (!model.Weights.All(weights => weights.All(double.IsFinite)) || !model.Intercepts.All(double.IsFinite) || !double.IsFinite(model.Threshold))
            throw new HomomorphicException(HomomorphicError.ModelShape, "A weight, an intercept or the threshold is not finite.");
        if (model.Classes.Count != 0 && model.Classes.Count != scores && (model.Classes.Count, scores) != (2, 1))
            throw new HomomorphicException(HomomorphicError.ModelShape, $"{model.Classes.Count} classes do not belong to {scores} scores.");
    }

    private static void RequireTable(LinearModel model, IReadOnlyList<double[]> rows)
    {
        if (rows.Count == 0) throw new HomomorphicException(HomomorphicError.Calibration, "The calibration table has no rows.");
        for (int r = 0; r < rows.Count; r++)
        {
            if (rows[r].Length != model.Features.Count) throw new HomomorphicException(HomomorphicError.Calibration, $"Row {r} of the calibration table has {rows[r].Length} numbers; the model has {model.Features.Count} features.");
            int absent = Array.FindIndex(rows[r], number => !double.IsFinite(number));
            if (absent >= 0) throw new HomomorphicException(HomomorphicError.Calibration, $"Row {r} of the calibration table has no finite number for {model.Features[absent]}.");
        }
    }
}
