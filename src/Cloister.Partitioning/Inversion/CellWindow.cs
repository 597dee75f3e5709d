using Cloister.Partitioning.Algebra;

namespace Cloister.Partitioning.Inversion;

/// <summary>
/// What one tensor says about a cell of a grid: the numbers around it, hashed where they are too many.
/// </summary>
internal sealed class CellWindow
{
    private readonly FeatureMap _map;
    private readonly int _rows, _columns, _high, _wide;
    private readonly SignedHash? _hash;

    /// <summary>Describes a window.</summary>
    /// <param name="map">The tensor.</param>
    /// <param name="rows">Rows of the grid, at most those of the tensor.</param>
    /// <param name="columns">Columns of the grid.</param>
    /// <param name="neighbourhood">Cells to each axis where tensor and grid have the same: odd.</param>
    /// <param name="maximum">Numbers at most.</param>
    /// <param name="seed">For the places.</param>
    public CellWindow(FeatureMap map, int rows, int columns, int neighbourhood, int maximum, int seed)
    {
        (_map, _rows, _columns) = (map, rows, columns);
        _high = Size(map.Height, rows);
        _wide = Size(map.Width, columns);
        Numbers = checked(map.Channels * _high * _wide);
        Features = Math.Min(Numbers, maximum);
        _hash = Numbers > maximum ? new SignedHash(Numbers, maximum, seed) : null;

        int Size(int cells, int grid) => cells == grid ? Math.Min(neighbourhood, 2 * cells - 1) : (cells + grid - 1) / grid;
    }

    /// <summary>Numbers around a cell.</summary>
    public int Numbers { get; }

    /// <summary>Numbers that it gives.</summary>
    public int Features { get; }

    /// <summary>Rows of cells that are looked at.</summary>
    public int Rows => _high;

    /// <summary>Columns of cells that are looked at.</summary>
    public int Columns => _wide;

    /// <summary>Sizes of the tensor's channels to learn, where its numbers share places; null where each has its own.</summary>
    public RunningSizes? Sizes() => _hash is null ? null : new RunningSizes(_map.Channels);

    /// <summary>Takes a tensor into them.</summary>
    public void Take(ReadOnlySpan<float> tensor, RunningSizes sizes)
    {
        for (int channel = 0; channel < _map.Channels; channel++)
            for (int cell = 0; cell < _map.Height * _map.Width; cell++)
                sizes.Add(channel, tensor[_map.Start + channel * _map.ChannelStep + cell * _map.CellStep]);
    }

    /// <summary>Brings numbers to one size from here on.</summary>
    public void Learn(RunningSizes sizes) => _hash?.Learn(sizes.ToStandardisation(), _high * _wide);

    /// <summary>Writes what the tensor says about a cell; beyond the tensor's edge there are zeros.</summary>
    public void Read(ReadOnlySpan<float> tensor, int row, int column, Span<float> features)
    {
        features.Clear();
        int top = (int)((2L * row + 1) * _map.Height / (2 * _rows)) - _high / 2, left = (int)((2L * column + 1) * _map.Width / (2 * _columns)) - _wide / 2;
        int from = Math.Max(0, -left), to = Math.Min(_wide, _map.Width - left), step = _map.CellStep;
        for (int channel = 0, target = 0; channel < _map.Channels; channel++)
            for (int y = top; y < top + _high; y++, target += _wide)
            {
                if ((uint)y >= (uint)_map.Height)
                    continue;
                int source = _map.Start + channel * _map.ChannelStep + (y * _map.Width + left) * step;
                if (_hash is null)
                    for (int x = from; x < to; x++)
                        features[target + x] = tensor[source + x * step];
                else
                    for (int x = from; x < to; x++)
                        _hash.Add(target + x, tensor[source + x * step], features);
            }
    }
}
