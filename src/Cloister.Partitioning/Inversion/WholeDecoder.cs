using Cloister.Partitioning.Algebra;
using Cloister.Partitioning.Features;

namespace Cloister.Partitioning.Inversion;

/// <summary>
/// A linear map from everything that crosses to the whole picture, wherever in the tensors a place of it ended up: what is shuffled hides
/// from decoders that look at the same place alone. Ridge regression in its dual form, since there are fewer pictures than numbers; what is
/// predicted is what is left of a coarse picture when the mean is taken away.
/// </summary>
internal sealed class WholeDecoder
{
    /// <summary>Numbers that are looked at, at most: each costs some 50 bytes.</summary>
    public const int MostNumbers = 1 << 24;

    private const int MostPlaces = 16_384, MostPictures = 1_000, SizingPictures = 16, FinestPicture = 32, ChoosingTargets = 96;

    private readonly InversionSettings _settings;
    private readonly MatrixProduct _product;
    private readonly FeatureSource _source;
    private readonly PatchGrid _grid;
    private readonly float[] _mean, _meanPatch;
    private readonly int _numbers, _places;
    private readonly SignedHash? _hash;
    private float[] _columns = [], _shift = [], _scale = [];
    private double[] _weights = [];
    private int _pictures;

    public WholeDecoder(InversionSettings settings, MatrixProduct product, PictureSize size, FeatureSource source, float[] mean)
    {
        (_settings, _product, _source, _mean) = (settings, product, source, mean);
        _grid = new PatchGrid(size, 1, 1, FinestPicture);
        _meanPatch = new float[_grid.Targets];
        _grid.Read(mean, 0, 0, _meanPatch);
        _numbers = checked((int)NumbersOf(source));
        _places = Math.Min(_numbers, MostPlaces);
        _hash = _numbers > _places ? new SignedHash(_numbers, _places, settings.Seed) : null;
    }

    /// <summary>Numbers that cross.</summary>
    public static long NumbersOf(FeatureSource source) => source.Shapes.Sum(shape => shape.Aggregate(1L, (product, dimension) => product * dimension));

    /// <summary>The chosen ridge, as a share of the pictures' mean square.</summary>
    public double Lambda { get; private set; }

    /// <summary>Pictures that were fitted.</summary>
    public int Rows => _pictures;

    /// <summary>What it is, in words.</summary>
    public string Description => $"{string.Join(" and ", _source.Tensors)} ({_numbers} numbers{(_hash is null ? "" : $" hashed to {_places}")}) to the whole picture, as {_grid.Description}";

    /// <summary>Fits pictures; one in so many chooses the ridge first.</summary>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.FeaturesRefused"/>: nothing can be fitted.</exception>
    public void Fit(IReadOnlyList<AssessedPicture> pictures, CancellationToken cancellation)
    {
        _pictures = Math.Min(pictures.Count, MostPictures);
        int[] held = [.. Enumerable.Range(0, _pictures).Where(HeldOut)], kept = [.. Enumerable.Range(0, _pictures).Where(i => !HeldOut(i))];
        LearnSizes(pictures, kept, cancellation);
        _columns = new float[checked(_places * _pictures)];
        float[] row = new float[_places];
        for (int i = 0; i < _pictures; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            Read(pictures[i], row);
            for (int place = 0; place < _places; place++) _columns[place * _pictures + i] = row[place];
        }
        Standardise(kept);
        float[] alike = new float[_pictures * _pictures];
        _product.MultiplyTransposed(_columns, _columns, alike, _places, _pictures, _pictures);
        float[] targets = Targets(pictures);
        Lambda = Choose(alike, targets, kept, held, cancellation);
        _weights = Solve(alike, targets, [.. Enumerable.Range(0, _pictures)], Lambda, cancellation)
            ?? throw new PartitioningException(PartitioningError.FeaturesRefused, "The features depend on each other so much that no ridge helps.");
    }

    /// <summary>Rebuilds pictures: planes of [channels, height, width], 0 to 1.</summary>
    public float[][] Rebuild(IReadOnlyList<AssessedPicture> pictures, CancellationToken cancellation)
    {
        float[] row = new float[_places], alike = new float[_pictures], patch = new float[_grid.Targets];
        var rebuilt = new float[pictures.Count][];
        for (int i = 0; i < rebuilt.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            Read(pictures[i], row);
            for (int place = 0; place < _places; place++) row[place] = (row[place] - _shift[place]) * _scale[place];
            _product.MultiplyTransposed(_columns, row, alike, _places, _pictures, 1);
            for (int target = 0; target < patch.Length; target++)
            {
                double sum = 0;
                for (int other = 0; other < _pictures; other++) sum += alike[other] * _weights[other * patch.Length + target];
                patch[target] = (float)sum;
            }
            if (!Array.TrueForAll(patch, float.IsFinite))
                throw new PartitioningException(PartitioningError.FeaturesRefused, "A feature is not a number or is infinite; nothing can be said of a cut with such tensors.");
            float[] picture = rebuilt[i] = new float[_grid.Pixels];
            _grid.Assemble(patch, picture);
            for (int pixel = 0; pixel < picture.Length; pixel++) picture[pixel] = Math.Clamp(picture[pixel] + _mean[pixel], 0, 1);
        }
        return rebuilt;
    }

    private bool HeldOut(int picture) => picture % _settings.HoldOutOneIn == _settings.HoldOutOneIn - 1;

    private void LearnSizes(IReadOnlyList<AssessedPicture> pictures, int[] kept, CancellationToken cancellation)
    {
        if (_hash is null) return;
        var sizes = new RunningSizes(_numbers);
        foreach (int i in kept.Take(SizingPictures))
        {
            cancellation.ThrowIfCancellationRequested();
            int number = 0;
            foreach (float[] tensor in _source.Read(pictures[i]))
                foreach (float value in tensor) sizes.Add(number++, value);
        }
        _hash.Learn(sizes.ToStandardisation(), 1);
    }

    private void Read(AssessedPicture picture, Span<float> row)
    {
        row.Clear();
        int number = 0;
        foreach (float[] tensor in _source.Read(picture))
            foreach (float value in tensor)
            {
                if (_hash is null) row[number++] = value;
                else _hash.Add(number++, value, row);
            }
    }

    // By the pictures that are fitted first; constant columns say nothing.
    private void Standardise(int[] kept)
    {
        (_shift, _scale) = (new float[_places], new float[_places]);
        float[] seen = new float[kept.Length];
        for (int place = 0; place < _places; place++)
        {
            Span<float> column = _columns.AsSpan(place * _pictures, _pictures);
            for (int i = 0; i < kept.Length; i++) seen[i] = column[kept[i]];
            var own = Standardisation.Of(seen, 1);
            (_shift[place], _scale[place]) = (own.Shift[0], seen.AsSpan().ContainsAnyExcept(seen[0]) ? own.Scale[0] : 0);
            for (int i = 0; i < column.Length; i++) column[i] = (column[i] - _shift[place]) * _scale[place];
        }
        if (Array.TrueForAll(_scale, scale => scale == 0))
            throw new PartitioningException(PartitioningError.FeaturesRefused, "All features are constant: the tensors say nothing of the input, or the model's weights are placeholders.");
    }

    private float[] Targets(IReadOnlyList<AssessedPicture> pictures)
    {
        float[] targets = new float[_pictures * _grid.Targets];
        for (int i = 0; i < _pictures; i++)
        {
            Span<float> own = targets.AsSpan(i * _grid.Targets, _grid.Targets);
            _grid.Read(pictures[i].Pixels, 0, 0, own);
            for (int target = 0; target < own.Length; target++) own[target] -= _meanPatch[target];
        }
        return targets;
    }

    private double Choose(float[] alike, float[] targets, int[] kept, int[] held, CancellationToken cancellation)
    {
        int[] chosen = new Statistics.SplitMix64(_settings.Seed).Choose(ChoosingTargets, _grid.Targets);
        float[] few = [.. Enumerable.Range(0, _pictures).SelectMany(i => chosen.Select(target => targets[i * _grid.Targets + target]))];
        (double best, double least) = (double.NaN, double.PositiveInfinity);
        foreach (double ridge in RidgeSearch.Ridges)
        {
            if (Solve(alike, few, kept, ridge, cancellation) is not { } weights) continue;
            double error = 0;
            foreach (int i in held)
                for (int target = 0; target < chosen.Length; target++)
                {
                    double sum = 0;
                    for (int k = 0; k < kept.Length; k++) sum += alike[i * _pictures + kept[k]] * weights[k * chosen.Length + target];
                    error += Math.Pow(sum - few[i * chosen.Length + target], 2);
                }
            if (error < least) (best, least) = (ridge, error);
        }
        return double.IsFinite(best) ? best : throw new PartitioningException(PartitioningError.FeaturesRefused, "A feature is not a number, is infinite, or depends on the others so much that no ridge helps.");
    }

    // (K + ridge * mean of K's diagonal * n) A = Y over some of the pictures.
    private double[]? Solve(float[] alike, float[] targets, int[] some, double ridge, CancellationToken cancellation)
    {
        int count = some.Length, each = targets.Length / _pictures;
        double diagonal = some.Average(i => (double)alike[i * _pictures + i]);
        double[] matrix = new double[count * count], right = new double[count * each];
        for (int i = 0; i < count; i++)
        {
            for (int j = 0; j <= i; j++) matrix[i * count + j] = alike[some[i] * _pictures + some[j]] + (i == j ? ridge * diagonal : 0);
            for (int target = 0; target < each; target++) right[i * each + target] = targets[some[i] * each + target];
        }
        if (CholeskyFactor.TryFactor(matrix, count, _settings.Threads, cancellation) is not { } factor) return null;
        factor.Solve(right, each);
        return right;
    }
}
