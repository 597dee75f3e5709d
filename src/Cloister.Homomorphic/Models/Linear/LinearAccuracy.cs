namespace Cloister.Homomorphic.Models;

/// <summary>How far a quantised model's predictions are from the model's own, on the rows of a calibration table.</summary>
internal sealed class LinearAccuracy
{
    private readonly LinearModel _model;
    private readonly double[][] _rows, _scores, _values;
    private readonly double _deviation;

    internal LinearAccuracy(LinearModel model, double[][] rows)
    {
        (_model, _rows) = (model, rows);
        _scores = [.. rows.Select(Score)];
        double[] all = [.. _scores.SelectMany(scores => scores)];
        double mean = all.Average(), variance = all.Average(score => (score - mean) * (score - mean));
        if (!double.IsFinite(variance)) throw new HomomorphicException(HomomorphicError.ModelShape, "The model's scores of the calibration table are not finite.");
        _deviation = variance > 0 ? Math.Sqrt(variance) : 1;
        _values = [.. _scores.Select(Value)];
    }

    /// <summary>The rows as integers.</summary>
    internal int[][] Quantise(FeatureSpecification[] features) => [.. _rows.Select(row => row.Select((x, i) => LinearQuantiser.Quantise(x, features[i], out _)).ToArray())];

    /// <summary>The integer intercepts with which the sums are right on average: they absorb the offsets of the features and what rounding the weights shifts.</summary>
    internal double[] Intercepts(int[][] rows, int[] weights, double scale)
    {
        var intercepts = new double[_model.Scores];
        for (int r = 0; r < rows.Length; r++)
            for (int k = 0; k < intercepts.Length; k++) intercepts[k] += (_scores[r][k] / scale - Sum(rows[r], weights, k)) / rows.Length;
        for (int k = 0; k < intercepts.Length; k++) intercepts[k] = Math.Round(intercepts[k]);
        return intercepts;
    }

    /// <summary>The mean square of the differences between predictions.</summary>
    internal double Loss(int[][] rows, int[] weights, double[] intercepts, double scale)
    {
        double loss = 0;
        var scores = new double[intercepts.Length];
        for (int r = 0; r < rows.Length; r++)
        {
            for (int k = 0; k < scores.Length; k++) scores[k] = (Sum(rows[r], weights, k) + intercepts[k]) * scale;
            double[] values = Value(scores);
            for (int k = 0; k < scores.Length; k++) loss += (values[k] - _values[r][k]) * (values[k] - _values[r][k]);
        }
        return loss / (rows.Length * (double)scores.Length);
    }

    private static double Sum(int[] row, int[] weights, int score)
    {
        double sum = 0;
        for (int i = 0; i < row.Length; i++) sum += (double)row[i] * weights[score * row.Length + i];
        return sum;
    }

    private double[] Score(double[] row)
    {
        var scores = new double[_model.Scores];
        _model.Score(row, scores);
        return scores;
    }

    // Probabilities where there are some; a margin where only its sign counts far out; else the score in units of its spread, and for an exponential
    // link too: a difference of scores is a ratio of predictions.
    private double[] Value(double[] scores) => _model.Link switch
    {
        LinkFunction.Logistic or LinkFunction.Softmax => [.. ModelAnswer.Of(scores, _model.Link, [], 0).Values],
        LinkFunction.Identity when _model.Classes.Count > 0 => [.. scores.Select(score => Math.Tanh((score - _model.Threshold) / _deviation))],
        _ => [.. scores.Select(score => score / _deviation)],
    };
}
