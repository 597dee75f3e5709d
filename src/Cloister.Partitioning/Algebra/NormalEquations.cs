namespace Cloister.Partitioning.Algebra;

/// <summary>
/// Least squares with a ridge, in closed form: rows come in blocks and leave only X'X, X'Y and sums behind, so that millions of them
/// fit. A block's products are of 32-bit floats, of columns that were moved and scaled by the first block's means and deviations; the
/// sums over blocks are of 64 bits. One thread at a time.
/// </summary>
public sealed class NormalEquations
{
    private readonly MatrixProduct _product;
    // What a feature that is fitted freely still gets: well above the rounding of the products, so that dependent ones have one solution.
    private const double Least = 1e-4;

    private readonly int _free;
    private readonly double[] _xx, _xy, _x, _y, _yy;
    private float[] _scratch = [];
    private Standardisation? _features, _targets;

    /// <summary>Creates equations without rows.</summary>
    /// <param name="features">Columns of X, at least 1; memory grows with its square.</param>
    /// <param name="targets">Columns of Y, at least 1.</param>
    /// <param name="product">What multiplies; the caller disposes it afterwards.</param>
    /// <param name="free">So many of the last features are fitted without a ridge: few, known to matter.</param>
    public NormalEquations(int features, int targets, MatrixProduct product, int free = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(free);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(features);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(targets);
        (Features, Targets, _product, _free) = (features, targets, product, free);
        _xx = new double[checked(features * features)];
        _xy = new double[checked(features * targets)];
        (_x, _y, _yy) = (new double[features], new double[targets], new double[targets]);
    }

    private NormalEquations(NormalEquations sibling)
        : this(sibling.Features, sibling.Targets, sibling._product, sibling._free) => (_features, _targets) = (sibling._features, sibling._targets);

    /// <summary>Columns of X.</summary>
    public int Features { get; }

    /// <summary>Columns of Y.</summary>
    public int Targets { get; }

    /// <summary>Rows so far.</summary>
    public long Rows { get; private set; }

    /// <summary>Adds rows.</summary>
    /// <param name="x">Row-major [rows, features]; it is standardised in place and of no use afterwards.</param>
    /// <param name="y">Row-major [rows, targets]; the same goes for it.</param>
    /// <param name="rows">At least 1; a few thousand at a time are quickest.</param>
    /// <exception cref="ArgumentException">A length is not that of its matrix.</exception>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.FeaturesRefused"/>: a number is not finite, or too large to be multiplied.</exception>
    public void Add(Memory<float> x, Memory<float> y, int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        if (x.Length != (long)rows * Features || y.Length != (long)rows * Targets)
            throw new ArgumentException($"{rows} rows are {(long)rows * Features} features and {(long)rows * Targets} targets; {x.Length} and {y.Length} are given.");
        _features ??= Standardisation.Of(x.Span, Features);
        _targets ??= Standardisation.Of(y.Span, Targets) with { Scale = [.. Enumerable.Repeat(1f, Targets)] };
        _features.Apply(x.Span, _x);
        _targets.Apply(y.Span, _y);
        ReadOnlySpan<float> targets = y.Span;
        for (int i = 0; i < targets.Length; i++)
            _yy[i % Targets] += (double)targets[i] * targets[i];
        Accumulate(x, x, Features, rows, _xx);
        Accumulate(x, y, Targets, rows, _xy);
        Rows += rows;
        for (int i = 0; i < Features; i++)
            if (!double.IsFinite(_x[i]) || !double.IsFinite(_xx[i * Features + i]))
                throw new PartitioningException(PartitioningError.FeaturesRefused, "A feature is not a number, is infinite, or is so much greater for some pictures than for others that it cannot be multiplied; nothing can be said of a cut with such tensors.");
    }

    /// <summary>Equations without rows that can be joined to these: they share the first block's means and deviations.</summary>
    /// <exception cref="InvalidOperationException">There are no rows yet.</exception>
    public NormalEquations Sibling() =>
        _features is null ? throw new InvalidOperationException("Without rows there are no means and deviations to share.") : new NormalEquations(this);

    /// <summary>Adds a sibling's rows to these.</summary>
    /// <exception cref="ArgumentException">They do not share their means and deviations.</exception>
    public void Join(NormalEquations sibling)
    {
        if (sibling._features != _features || _features is null)
            throw new ArgumentException("Only siblings can be joined.", nameof(sibling));
        foreach ((double[] own, double[] other) in new[] { (_xx, sibling._xx), (_xy, sibling._xy), (_x, sibling._x), (_y, sibling._y), (_yy, sibling._yy) })
            for (int i = 0; i < own.Length; i++)
                own[i] += other[i];
        Rows += sibling.Rows;
    }

    /// <summary>Solves for the weights that leave the least squared error and are short.</summary>
    /// <param name="lambda">Above 0: the ridge, for standardised features, as a share of the number of rows.</param>
    /// <param name="threads">How many may work.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="InvalidOperationException">There are no rows.</exception>
    /// <exception cref="PartitioningException">
    /// <see cref="PartitioningError.FeaturesRefused"/>: all features are constant, or so dependent on each other that the ridge is too small.
    /// </exception>
    public RidgeModel Solve(double lambda, int threads = 1, CancellationToken cancellation = default) =>
        TrySolve(lambda, [.. Enumerable.Range(0, Targets)], threads, cancellation)
        ?? throw new PartitioningException(PartitioningError.FeaturesRefused, $"The features depend on each other so much that a ridge of {lambda} does not help.");

    /// <summary>Solves for some of the targets; null where the ridge is too small.</summary>
    internal RidgeModel? TrySolve(double lambda, int[] targets, int threads, CancellationToken cancellation)
    {
        if (!(lambda > 0) || !double.IsFinite(lambda))
            throw new ArgumentOutOfRangeException(nameof(lambda), lambda, "A ridge is above 0.");
        if (Rows == 0)
            throw new InvalidOperationException("There are no rows.");
        double rows = Rows;
        double[] deviations = Deviations();
        int[] used = [.. Enumerable.Range(0, Features).Where(i => deviations[i] > 0)];
        if (!used.Any(i => i < Features - _free))
            throw new PartitioningException(PartitioningError.FeaturesRefused, "All features are constant: the tensors say nothing of the input, or the model's weights are placeholders.");
        double[] matrix = new double[used.Length * used.Length], right = new double[used.Length * targets.Length];
        for (int p = 0; p < used.Length; p++)
        {
            int i = used[p];
            double scale = 1 / (rows * deviations[i]);
            for (int q = 0; q <= p; q++)
                matrix[p * used.Length + q] = (_xx[i * Features + used[q]] - _x[i] * _x[used[q]] / rows) * scale / deviations[used[q]];
            matrix[p * used.Length + p] += i < Features - _free ? lambda : Least;
            for (int t = 0; t < targets.Length; t++)
                right[p * targets.Length + t] = (_xy[i * Targets + targets[t]] - _x[i] * _y[targets[t]] / rows) * scale;
        }
        if (CholeskyFactor.TryFactor(matrix, used.Length, threads, cancellation) is not { } factor)
            return null;
        factor.Solve(right, targets.Length);
        return Model(lambda, deviations, used, right, targets);
    }

    /// <summary>The mean squared error on these rows of a model for some of the targets.</summary>
    internal double MeanSquaredError(RidgeModel model, int[] chosen, int threads, CancellationToken cancellation)
    {
        // The model in these equations' own units: of the moved and scaled columns, of the moved targets.
        int targets = chosen.Length;
        double[] weights = new double[Features * targets], bias = new double[targets], errors = new double[targets];
        Standardisation features = model.Standard;
        for (int t = 0; t < targets; t++)
            bias[t] = (double)model.Bias[t] - _targets!.Shift[chosen[t]];
        for (int i = 0; i < Features; i++)
        {
            double scale = features.Scale[i] / (double)_features!.Scale[i], shift = ((double)_features.Shift[i] - features.Shift[i]) * features.Scale[i];
            for (int t = 0; t < targets; t++)
            {
                weights[i * targets + t] = model.Weights[i * targets + t] * scale;
                bias[t] += model.Weights[i * targets + t] * shift;
            }
        }
        for (int t = 0; t < targets; t++)
            errors[t] = _yy[chosen[t]] - 2 * bias[t] * _y[chosen[t]] + Rows * bias[t] * bias[t];
        double[] parts = new double[Features];
        Parallel.For(0, Features, new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellation }, i =>
        {
            double[] row = new double[targets];
            for (int j = 0; j < Features; j++)
                if (_xx[i * Features + j] is var factor && factor != 0)
                    for (int t = 0; t < targets; t++)
                        row[t] += factor * weights[j * targets + t];
            for (int t = 0; t < targets; t++)
                parts[i] += weights[i * targets + t] * (row[t] - 2 * _xy[i * Targets + chosen[t]] + 2 * bias[t] * _x[i]);
        });
        return Math.Max(0, (errors.Sum() + parts.Sum()) / (Rows * (double)targets));
    }

    // Deviations in the units of the moved and scaled columns; 0 for a column that is constant to the precision of its sums.
    private double[] Deviations() =>
        [.. Enumerable.Range(0, Features).Select(i =>
        {
            double square = _xx[i * Features + i] / Rows, mean = _x[i] / Rows, variance = square - mean * mean;
            return variance > 1e-6 * square && variance > 1e-36 ? Math.Sqrt(variance) : 0;
        })];

    private RidgeModel Model(double lambda, double[] deviations, int[] used, double[] solution, int[] chosen)
    {
        int targets = chosen.Length;
        float[] shift = new float[Features], scale = new float[Features], weights = new float[Features * targets], bias = new float[targets];
        for (int i = 0; i < Features; i++)
            shift[i] = (float)(_features!.Shift[i] + _x[i] / Rows / _features.Scale[i]);
        double[] rounded = new double[targets];
        for (int p = 0; p < used.Length; p++)
        {
            int i = used[p];
            double wanted = _features!.Scale[i] / deviations[i];
            scale[i] = (float)Math.Min(Standardisation.MostScale, wanted);
            // A mean that is great beside its column's deviation loses more to 32 bits than may be lost.
            double lost = ((double)shift[i] - _features.Shift[i] - _x[i] / Rows / _features.Scale[i]) * scale[i];
            for (int t = 0; t < targets; t++)
            {
                double weight = solution[p * targets + t] * (wanted / scale[i]);
                weights[i * targets + t] = (float)weight;
                rounded[t] += weight * lost;
            }
        }
        for (int t = 0; t < targets; t++)
            bias[t] = (float)(_targets!.Shift[chosen[t]] + _y[chosen[t]] / Rows + rounded[t]);
        return new RidgeModel(new Standardisation(shift, scale), weights, bias, lambda, used.Length);
    }

    private void Accumulate(Memory<float> x, Memory<float> other, int columns, int rows, double[] sums)
    {
        if (_scratch.Length < sums.Length)
            _scratch = new float[sums.Length];
        _product.MultiplyTransposed(x, other, _scratch.AsMemory(0, sums.Length), rows, Features, columns);
        for (int i = 0; i < sums.Length; i++)
            sums[i] += _scratch[i];
    }
}
