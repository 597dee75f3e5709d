namespace Cloister.Partitioning.Algebra;

/// <summary>A linear map from features to targets, found by <see cref="NormalEquations.Solve"/>.</summary>
public sealed class RidgeModel
{
    private readonly Standardisation _features;

    internal RidgeModel(Standardisation features, float[] weights, float[] bias, double lambda, int used)
    {
        _features = features;
        Weights = weights;
        Bias = bias;
        Lambda = lambda;
        UsedFeatures = used;
    }

    /// <summary>Numbers a row of features.</summary>
    public int Features => _features.Shift.Length;

    /// <summary>Features that are not constant; the others have no weight.</summary>
    public int UsedFeatures { get; }

    /// <summary>Numbers a row of targets.</summary>
    public int Targets => Bias.Length;

    /// <summary>The ridge it was solved with, for standardised features, as a share of the number of rows.</summary>
    public double Lambda { get; }

    internal Standardisation Standard => _features;

    internal float[] Weights { get; }

    internal float[] Bias { get; }

    /// <summary>Predicts targets.</summary>
    /// <param name="x">Row-major [rows, features]; it is standardised in place and of no use afterwards.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="y">Row-major [rows, targets]: the prediction.</param>
    /// <param name="product">What multiplies.</param>
    /// <exception cref="ArgumentException">A length is not that of its matrix.</exception>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.FeaturesRefused"/>: a prediction is not finite, since a feature is not.</exception>
    public void Predict(Memory<float> x, int rows, Memory<float> y, MatrixProduct product)
    {
        if (x.Length != (long)rows * Features)
            throw new ArgumentException($"{rows} rows of {Features} features are {(long)rows * Features} numbers, {x.Length} are given.", nameof(x));
        Span<float> values = x.Span;
        for (int row = 0; row < rows; row++)
            _features.Apply(values.Slice(row * Features, Features));
        product.Multiply(x, Weights, y, rows, Features, Targets);
        Span<float> predicted = y.Span;
        float check = 0;
        for (int row = 0; row < rows; row++)
        {
            Span<float> targets = predicted.Slice(row * Targets, Targets);
            for (int i = 0; i < targets.Length; i++)
            {
                targets[i] += Bias[i];
                check += targets[i] * 0;
            }
        }
        if (check != 0 || float.IsNaN(check))
            throw new PartitioningException(PartitioningError.FeaturesRefused, "A feature is not a number or is infinite; nothing can be said of a cut with such tensors.");
    }
}
