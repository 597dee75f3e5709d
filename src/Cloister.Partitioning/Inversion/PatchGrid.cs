using Cloister.Partitioning.Features;

namespace Cloister.Partitioning.Inversion;

/// <summary>A picture as patches, one a cell: what a decoder predicts, and how a picture is put together again.</summary>
internal sealed class PatchGrid
{
    private readonly PictureSize _size;
    private readonly AxisGrid _vertical, _horizontal;
    private readonly int _high, _wide;

    /// <summary>Shares a picture out.</summary>
    /// <param name="size">The picture's.</param>
    /// <param name="rows">Rows of cells, at most those of the picture.</param>
    /// <param name="columns">Columns of cells.</param>
    /// <param name="finest">Numbers to each axis of a patch at most; larger patches are coarser.</param>
    public PatchGrid(PictureSize size, int rows, int columns, int finest)
    {
        _size = size;
        (_vertical, _horizontal) = (AxisGrid.Of(size.Height, rows), AxisGrid.Of(size.Width, columns));
        (_high, _wide) = (Math.Min(finest, _vertical.Patch), Math.Min(finest, _horizontal.Patch));
    }

    public int Rows => _vertical.Cells;

    public int Columns => _horizontal.Cells;

    /// <summary>Numbers a patch: channels * its rows * its columns.</summary>
    public int Targets => _size.Channels * _high * _wide;

    /// <summary>Numbers a picture.</summary>
    public int Pixels => _size.Elements;

    /// <summary>In words, for reports.</summary>
    public string Description => (_high, _wide) == (_vertical.Patch, _horizontal.Patch)
        ? $"{_vertical.Patch}x{_horizontal.Patch} pixels"
        : $"{_vertical.Patch}x{_horizontal.Patch} pixels as {_high}x{_wide}";

    /// <summary>Writes a cell's patch of a picture; a coarser number is the mean of its pixels.</summary>
    public void Read(ReadOnlySpan<float> picture, int row, int column, Span<float> patch)
    {
        int top = _vertical.Origin(row), left = _horizontal.Origin(column), high = _vertical.Patch, wide = _horizontal.Patch;
        patch.Clear();
        for (int channel = 0; channel < _size.Channels; channel++)
            for (int y = 0; y < high; y++)
            {
                ReadOnlySpan<float> source = picture.Slice((channel * _size.Height + top + y) * _size.Width + left, wide);
                Span<float> target = patch.Slice((channel * _high + y * _high / high) * _wide, _wide);
                if (wide == _wide)
                    for (int x = 0; x < wide; x++)
                        target[x] += source[x];
                else
                    for (int x = 0; x < wide; x++)
                        target[x * _wide / wide] += source[x];
            }
        if (high == _high && wide == _wide)
            return;
        for (int channel = 0; channel < _size.Channels; channel++)
            for (int y = 0; y < _high; y++)
                for (int x = 0; x < _wide; x++)
                    patch[(channel * _high + y) * _wide + x] /= Share(y, _high, high) * Share(x, _wide, wide);
    }

    /// <summary>Puts a picture together, pixel by pixel, of what the owning cells predict.</summary>
    /// <param name="patches">All cells' patches, row by row.</param>
    /// <param name="picture">Planes of [channels, height, width].</param>
    public void Assemble(ReadOnlySpan<float> patches, Span<float> picture)
    {
        int high = _vertical.Patch, wide = _horizontal.Patch;
        for (int y = 0; y < _size.Height; y++)
        {
            int row = _vertical.Owner(y);
            (int up, int down, float lower) = Between(y - _vertical.Origin(row), _high, high);
            for (int x = 0; x < _size.Width; x++)
            {
                int column = _horizontal.Owner(x);
                (int before, int after, float later) = Between(x - _horizontal.Origin(column), _wide, wide);
                ReadOnlySpan<float> patch = patches.Slice((row * Columns + column) * Targets, Targets);
                for (int channel = 0; channel < _size.Channels; channel++)
                {
                    ReadOnlySpan<float> upper = patch.Slice((channel * _high + up) * _wide, _wide), under = patch.Slice((channel * _high + down) * _wide, _wide);
                    float first = upper[before] + (upper[after] - upper[before]) * later, second = under[before] + (under[after] - under[before]) * later;
                    picture[(channel * _size.Height + y) * _size.Width + x] = first + (second - first) * lower;
                }
            }
        }
    }

    // Pixels that fall to number i of so many.
    private static int Share(int i, int numbers, int pixels) => ((i + 1) * pixels + numbers - 1) / numbers - (i * pixels + numbers - 1) / numbers;

    // The two numbers whose centres lie around a pixel's, and the second one's share.
    private static (int First, int Second, float Share) Between(int pixel, int numbers, int pixels)
    {
        if (numbers == pixels)
            return (pixel, pixel, 0);
        float position = Math.Clamp((pixel + 0.5f) * numbers / pixels - 0.5f, 0, numbers - 1);
        int first = (int)position;
        return (first, Math.Min(first + 1, numbers - 1), position - first);
    }
}
