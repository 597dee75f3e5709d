namespace Cloister.Partitioning.Inversion;

/// <summary>How a tensor of one item lies over the picture.</summary>
/// <param name="Channels">Numbers a cell.</param>
/// <param name="Height">Rows of cells; 1 where the tensor has no place in the picture.</param>
/// <param name="Width">Columns of cells.</param>
/// <param name="CellStep">From one cell's number to its right neighbour's.</param>
/// <param name="ChannelStep">From one channel's number to the next one's.</param>
/// <param name="Start">Where the first cell's first number lies.</param>
internal readonly record struct FeatureMap(int Channels, int Height, int Width, int CellStep, int ChannelStep, int Start)
{
    /// <summary>Reads a shape: [1, C, H, W], [1, H, W, C] where only that fits the picture, [1, T, C] where T makes a grid; all else is one cell.</summary>
    /// <param name="shape">The tensor's, for one item.</param>
    /// <param name="height">The picture's rows.</param>
    /// <param name="width">The picture's columns.</param>
    public static FeatureMap Of(ReadOnlySpan<long> shape, int height, int width)
    {
        long elements = 1;
        foreach (long dimension in shape)
            elements = dimension > 0 && elements <= int.MaxValue ? elements * dimension : int.MaxValue + 1L;
        if (elements > int.MaxValue || shape.Length > 0 && shape[0] != 1)
            throw new PartitioningException(PartitioningError.CutRefused, $"A tensor of shape [{string.Join(", ", shape.ToArray())}] is not that of one item.");
        if (shape.Length == 4)
        {
            int a = (int)shape[1], b = (int)shape[2], c = (int)shape[3];
            if (b * c > 1 && Alike(b, c))
                return new FeatureMap(a, b, c, 1, b * c, 0);
            if (a * b > 1 && Alike(a, b))
                return new FeatureMap(c, a, b, c, 1, 0);
            if (b * c > 1)
                return new FeatureMap(a, b, c, 1, b * c, 0);
        }
        // Transformers: one row of numbers a patch, sometimes after a token that stands for the whole.
        if (shape.Length == 3)
            for (int extra = 0; extra <= 1; extra++)
                if (Rows((int)shape[1] - extra) is var rows and > 1 && ((int)shape[1] - extra) / rows is var columns && Alike(rows, columns))
                    return new FeatureMap((int)shape[2], rows, columns, (int)shape[2], 1, extra * (int)shape[2]);
        return new FeatureMap((int)elements, 1, 1, 1, 1, 0);

        bool Alike(long rows, long columns) => Math.Abs(rows * (double)width / (columns * (double)height) - 1) < 0.15;

        int Rows(int cells) => cells > 0 && (int)Math.Round(Math.Sqrt(cells * (double)height / width)) is var rows and > 0 && cells % rows == 0 ? rows : 0;
    }
}
