using Cloister.Partitioning.Algebra;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Inversion;

/// <summary>
/// A linear map from what tensors say about a cell, and from how the mean picture looks there, to the cell's patch of the picture; one map
/// for all cells. Fitted photo by photo: only products stay in memory.
/// </summary>
internal sealed class PictureDecoder
{
    private const int BlockRows = 4_096, ChoosingTargets = 96, FinestPatch = 32, FinestPlace = 4, SizingPictures = 16;

    private readonly InversionSettings _settings;
    private readonly MatrixProduct _product;
    private readonly PatchGrid _grid;
    private readonly (int Tensor, CellWindow Window)[] _windows;
    private readonly float[] _places;
    private readonly int _features, _free;
    private NormalEquations? _fit, _holdOut;
    private RidgeModel? _model;

    private PictureDecoder(InversionSettings settings, MatrixProduct product, PictureSize size, PatchGrid grid, (int Tensor, CellWindow Window)[] windows, float[] mean)
    {
        (_settings, _product, _grid, _windows) = (settings, product, grid, windows);
        var places = new PatchGrid(size, grid.Rows, grid.Columns, FinestPlace);
        _free = places.Targets;
        _places = new float[grid.Rows * grid.Columns * _free];
        for (int cell = 0; cell < grid.Rows * grid.Columns; cell++)
            places.Read(mean, cell / grid.Columns, cell % grid.Columns, _places.AsSpan(cell * _free, _free));
        _features = windows.Sum(window => window.Window.Features) + _free;
    }

    /// <summary>Cells that were fitted.</summary>
    public long Rows => _fit!.Rows;

    /// <summary>Whether every number goes into every pixel already.</summary>
    public bool IsWhole => _grid.Rows * _grid.Columns == 1 && _windows.All(one => one.Window.Features == one.Window.Numbers);

    /// <summary>The chosen ridge.</summary>
    public double Lambda { get; private set; }

    /// <summary>What it is, in words.</summary>
    public string Describe(FeatureSource source) =>
        string.Join(" and ", _windows.Select(window => $"{source.Tensors[window.Tensor]} ({window.Window.Rows}x{window.Window.Columns} cells, {window.Window.Numbers} numbers{(window.Window.Features < window.Window.Numbers ? $" hashed to {window.Window.Features}" : "")})"))
        + $" to {_grid.Description}";

    /// <summary>A decoder from some of the tensors of a source, on the grid of the coarsest that has one.</summary>
    public static PictureDecoder Create(InversionSettings settings, MatrixProduct product, PictureSize size, FeatureSource source, int[] tensors, float[] mean)
    {
        FeatureMap[] maps = [.. tensors.Select(tensor => FeatureMap.Of(source.Shapes[tensor], size.Height, size.Width))];
        FeatureMap coarsest = maps.Where(map => map.Height * map.Width > 1).DefaultIfEmpty(maps[0]).MinBy(map => (long)map.Height * map.Width);
        var grid = new PatchGrid(size, Math.Min(coarsest.Height, size.Height), Math.Min(coarsest.Width, size.Width), FinestPatch);
        CellWindow Window(int place, int maximum) => new(maps[place], grid.Rows, grid.Columns, maps[place].Channels * 9 <= settings.NeighbourhoodFeatures ? 3 : 1, maximum, settings.Seed + place);
        // Tensors that need less than an equal share leave the rest to the others.
        int left = settings.MaximumFeatures, waiting = tensors.Length;
        var windows = new (int, CellWindow)[tensors.Length];
        foreach (int place in Enumerable.Range(0, tensors.Length).OrderBy(place => Window(place, int.MaxValue).Numbers))
        {
            windows[place] = (tensors[place], Window(place, left / waiting--));
            left -= windows[place].Item2.Features;
        }
        return new PictureDecoder(settings, product, size, grid, windows, mean);
    }

    /// <summary>Fits all pictures but those held out, and chooses the ridge by these.</summary>
    public void Fit(FeatureSource source, IReadOnlyList<AssessedPicture> pictures, IProgress<double>? progress, CancellationToken cancellation)
    {
        int cells = _grid.Rows * _grid.Columns, each = Math.Min(cells, Math.Max(1, _settings.MaximumRows / pictures.Count));
        LearnSizes(source, pictures, cancellation);
        _fit = new NormalEquations(_features, _grid.Targets, _product, _free);
        // The first block's means and deviations serve all: it must be one of the fitted pictures.
        var blocks = new RowBlock[] { new(_features, _grid.Targets), new(_features, _grid.Targets) };
        for (int i = 0; i < pictures.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            float[][] tensors = source.Read(pictures[i]);
            int part = HeldOut(i) ? 1 : 0;
            foreach (int cell in new SplitMix64(((long)_settings.Seed << 32) + i).Choose(each, cells))
            {
                (Memory<float> x, Memory<float> y) = blocks[part].Next();
                Read(tensors, cell, x.Span);
                _grid.Read(pictures[i].Pixels, cell / _grid.Columns, cell % _grid.Columns, y.Span);
                if (blocks[part].Rows == BlockRows)
                    Flush(blocks, part);
            }
            progress?.Report((i + 1.0) / pictures.Count);
        }
        Flush(blocks, 0);
        Flush(blocks, 1);
        cancellation.ThrowIfCancellationRequested();
        int[] targets = new SplitMix64(_settings.Seed).Choose(ChoosingTargets, _grid.Targets);
        Lambda = RidgeSearch.Choose(_fit, _holdOut!, targets, _settings.Threads, cancellation);
    }

    /// <summary>The held-out pictures' mean squared error, to choose between decoders.</summary>
    public double HeldOutError(FeatureSource source, IReadOnlyList<AssessedPicture> pictures, CancellationToken cancellation)
    {
        _model = _fit!.Solve(Lambda, _settings.Threads, cancellation);
        double sum = 0;
        int count = 0;
        for (int i = 0; i < pictures.Count; i++)
            if (HeldOut(i))
            {
                cancellation.ThrowIfCancellationRequested();
                sum += Math.Pow(10, -PictureFidelity.Psnr(Rebuild(source.Read(pictures[i])), pictures[i].Pixels) / 10);
                count++;
            }
        return sum / count;
    }

    /// <summary>Takes the held-out pictures in, with the ridge as it was chosen.</summary>
    public void Complete(CancellationToken cancellation)
    {
        _fit!.Join(_holdOut!);
        _model = _fit.Solve(Lambda, _settings.Threads, cancellation);
    }

    /// <summary>Rebuilds a picture: planes of [channels, height, width], 0 to 1.</summary>
    public float[] Rebuild(float[][] tensors)
    {
        int cells = _grid.Rows * _grid.Columns;
        float[] patches = new float[cells * _grid.Targets], picture = new float[_grid.Pixels];
        for (int start = 0; start < cells; start += BlockRows)
        {
            int rows = Math.Min(BlockRows, cells - start);
            float[] x = new float[rows * _features];
            for (int i = 0; i < rows; i++)
                Read(tensors, start + i, x.AsSpan(i * _features, _features));
            _model!.Predict(x, rows, patches.AsMemory(start * _grid.Targets, rows * _grid.Targets), _product);
        }
        _grid.Assemble(patches, picture);
        for (int i = 0; i < picture.Length; i++)
            picture[i] = Math.Clamp(picture[i], 0, 1);
        return picture;
    }

    // Of pictures that are fitted, like everything that a decoder is made of.
    private void LearnSizes(FeatureSource source, IReadOnlyList<AssessedPicture> pictures, CancellationToken cancellation)
    {
        (int Tensor, CellWindow Window, RunningSizes? Sizes)[] shared = [.. _windows.Select(one => (one.Tensor, one.Window, one.Window.Sizes())).Where(one => one.Item3 is not null)];
        if (shared.Length == 0)
            return;
        foreach (int i in Enumerable.Range(0, pictures.Count).Where(i => !HeldOut(i)).Take(SizingPictures))
        {
            cancellation.ThrowIfCancellationRequested();
            float[][] tensors = source.Read(pictures[i]);
            foreach ((int tensor, CellWindow window, RunningSizes? sizes) in shared)
                window.Take(tensors[tensor], sizes!);
        }
        foreach ((_, CellWindow window, RunningSizes? sizes) in shared)
            window.Learn(sizes!);
    }

    private bool HeldOut(int picture) => picture % _settings.HoldOutOneIn == _settings.HoldOutOneIn - 1;

    private void Flush(RowBlock[] blocks, int part)
    {
        if (part == 1 && _fit!.Rows == 0)
            Flush(blocks, 0);
        if (part == 1)
            _holdOut ??= _fit!.Sibling();
        blocks[part].Empty((x, y, rows) => (part == 0 ? _fit! : _holdOut!).Add(x, y, rows));
    }

    private void Read(float[][] tensors, int cell, Span<float> features)
    {
        foreach ((int tensor, CellWindow window) in _windows)
        {
            window.Read(tensors[tensor], cell / _grid.Columns, cell % _grid.Columns, features[..window.Features]);
            features = features[window.Features..];
        }
        _places.AsSpan(cell * _free, _free).CopyTo(features);
    }

    /// <summary>Rows that wait for their products.</summary>
    private sealed class RowBlock(int features, int targets)
    {
        private readonly float[] _x = new float[BlockRows * features], _y = new float[BlockRows * targets];

        public int Rows { get; private set; }

        public (Memory<float> X, Memory<float> Y) Next()
        {
            int row = Rows++;
            return (_x.AsMemory(row * features, features), _y.AsMemory(row * targets, targets));
        }

        public void Empty(Action<Memory<float>, Memory<float>, int> take)
        {
            if (Rows > 0)
                take(_x.AsMemory(0, Rows * features), _y.AsMemory(0, Rows * targets), Rows);
            Rows = 0;
        }
    }
}
