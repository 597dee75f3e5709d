using Cloister.Partitioning.Algebra;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Tokens;

/// <summary>A linear map from what is seen of a token, or of a whole text, to the token's row of a table, or to the mean of the text's rows.</summary>
internal sealed class TokenDecoder
{
    private const int BlockRows = 2_048, ChoosingTargets = 96, SizingTexts = 16;

    private readonly TokenSettings _settings;
    private readonly MatrixProduct _product;
    private readonly TokenTable _table;
    private readonly TokenSource _source;
    private readonly SignedHash? _hash;
    private readonly int _features;
    private RidgeModel? _model;

    public TokenDecoder(TokenSettings settings, MatrixProduct product, TokenTable table, TokenSource source)
    {
        (_settings, _product, _table, _source) = (settings, product, table, source);
        _features = Math.Min(source.Numbers, settings.MaximumFeatures);
        _hash = source.Numbers > _features ? new SignedHash(source.Numbers, _features, settings.Seed) : null;
    }

    public double Lambda => _model!.Lambda;

    public string Description => $"{_source.Numbers} numbers{(_hash is null ? "" : $" hashed to {_features}")} a {(_source.Pooled ? "text" : "token")} to {_table.Width} {(_table.IsKnown ? "of the model's embedding" : "places, one a token")}";

    public void Fit(IReadOnlyList<int[]> texts, IProgress<double>? progress, CancellationToken cancellation)
    {
        var fit = new NormalEquations(_features, _table.Width, _product);
        NormalEquations? holdOut = null;
        int each = _source.Pooled ? 1 : Math.Min(_source.Length, Math.Max(1, _settings.MaximumRows / texts.Count));
        LearnSizes(texts, cancellation);
        // Held-out texts wait: the first block's means and deviations must be of fitted ones.
        foreach (bool held in new[] { false, true })
        {
            float[] x = new float[BlockRows * _features], y = new float[BlockRows * _table.Width];
            int rows = 0;
            void Flush()
            {
                if (rows > 0)
                    (held ? holdOut ??= fit.Sibling() : fit).Add(x.AsMemory(0, rows * _features), y.AsMemory(0, rows * _table.Width), rows);
                rows = 0;
            }
            for (int text = 0; text < texts.Count; text++)
            {
                if (text % _settings.HoldOutOneIn == _settings.HoldOutOneIn - 1 != held)
                    continue;
                cancellation.ThrowIfCancellationRequested();
                float[] seen = _source.Read(texts[text]);
                foreach (int position in new SplitMix64(((long)_settings.Seed << 32) + text).Choose(each, _source.Pooled ? 1 : _source.Length))
                {
                    Features(seen.AsSpan(position * _source.Numbers, _source.Numbers), x.AsSpan(rows * _features, _features));
                    Target(_source.Pooled ? texts[text] : texts[text].AsSpan(position, 1), y.AsSpan(rows * _table.Width, _table.Width));
                    if (++rows == BlockRows)
                        Flush();
                }
                progress?.Report((text + 1.0) / texts.Count * (held ? 0.1 : 0.9) + (held ? 0.9 : 0));
            }
            Flush();
        }
        int[] targets = new SplitMix64(_settings.Seed).Choose(ChoosingTargets, _table.Width);
        double lambda = RidgeSearch.Choose(fit, holdOut!, targets, _settings.Threads, cancellation);
        fit.Join(holdOut!);
        _model = fit.Solve(lambda, _settings.Threads, cancellation);
    }

    private void LearnSizes(IReadOnlyList<int[]> texts, CancellationToken cancellation)
    {
        if (_hash is null)
            return;
        var sizes = new RunningSizes(_source.Numbers);
        foreach (int text in Enumerable.Range(0, texts.Count).Where(text => text % _settings.HoldOutOneIn != _settings.HoldOutOneIn - 1).Take(SizingTexts))
        {
            cancellation.ThrowIfCancellationRequested();
            float[] seen = _source.Read(texts[text]);
            for (int i = 0; i < seen.Length; i++)
                sizes.Add(i % _source.Numbers, seen[i]);
        }
        _hash.Learn(sizes.ToStandardisation(), 1);
    }

    /// <summary>Tokens of a text, position by position; or, of the whole text, those that occur.</summary>
    public int[] Recover(int[] text)
    {
        float[] seen = _source.Read(text);
        int rows = _source.Pooled ? 1 : _source.Length;
        float[] x = new float[rows * _features], y = new float[rows * _table.Width];
        for (int row = 0; row < rows; row++)
            Features(seen.AsSpan(row * _source.Numbers, _source.Numbers), x.AsSpan(row * _features, _features));
        _model!.Predict(x, rows, y, _product);
        return _source.Pooled ? BagSearch.Find(_table, y, _source.Length) : _table.Nearest(y, rows, _product);
    }

    private void Features(ReadOnlySpan<float> seen, Span<float> features)
    {
        if (_hash is null)
        {
            seen.CopyTo(features);
            return;
        }
        features.Clear();
        for (int i = 0; i < seen.Length; i++)
            _hash.Add(i, seen[i], features);
    }

    private void Target(ReadOnlySpan<int> tokens, Span<float> target)
    {
        target.Clear();
        foreach (int token in tokens)
        {
            ReadOnlySpan<float> row = _table[token];
            for (int i = 0; i < row.Length; i++)
                target[i] += row[i] / tokens.Length;
        }
    }
}
