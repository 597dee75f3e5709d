namespace Cloister.Partitioning.Inversion;

/// <summary>
/// One axis of a picture, shared out among the cells of a feature map. Every cell predicts a patch of the same length; of each pixel the
/// prediction of the cell that owns it is taken.
/// </summary>
/// <remarks>
/// Where the pixels divide, cells own equal parts. Otherwise networks have usually lost a border to unpadded layers, their stride being
/// a power of two: the cells then lie in the middle, and those at the edges own the rest. Failing that, cells own proportional parts.
/// </remarks>
internal readonly record struct AxisGrid
{
    private readonly int _pixels, _cells, _stride, _offset;

    private AxisGrid(int pixels, int cells, int stride, int offset, int patch) => (_pixels, _cells, _stride, _offset, Patch) = (pixels, cells, stride, offset, patch);

    /// <summary>Cells along the axis.</summary>
    public int Cells => _cells;

    /// <summary>Pixels that a cell predicts.</summary>
    public int Patch { get; }

    /// <summary>Shares pixels out.</summary>
    /// <param name="pixels">The picture's length.</param>
    /// <param name="cells">The map's length, at most that of the picture.</param>
    public static AxisGrid Of(int pixels, int cells)
    {
        if (pixels % cells == 0)
            return new AxisGrid(pixels, cells, pixels / cells, 0, pixels / cells);
        int stride = 1;
        while (2 * stride * cells <= pixels)
            stride *= 2;
        int rest = pixels - stride * cells;
        return rest <= 2 * stride
            ? new AxisGrid(pixels, cells, stride, rest / 2, stride + rest)
            : new AxisGrid(pixels, cells, 0, 0, Math.Min(pixels, (pixels + cells - 1) / cells + 1));
    }

    /// <summary>The first pixel of a cell's patch.</summary>
    public int Origin(int cell) => _stride > 0 ? cell * _stride : Math.Min((int)((long)cell * _pixels / _cells), _pixels - Patch);

    /// <summary>The cell whose prediction of a pixel is taken.</summary>
    public int Owner(int pixel) => _stride > 0 ? Math.Clamp((pixel - _offset) / _stride, 0, _cells - 1) : (int)((long)pixel * _cells / _pixels);
}
