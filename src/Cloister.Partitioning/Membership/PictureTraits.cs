using Cloister.Partitioning.Features;

namespace Cloister.Partitioning.Membership;

/// <summary>Pictures as short rows, without any model: colours of fields, how values are spread, and how sharp the picture is.</summary>
internal static class PictureTraits
{
    private const int Grid = 3, Quantiles = 16;

    /// <summary>Numbers of a row.</summary>
    public static int Count(PictureSize size) => size.Channels * Grid * Grid + 1 + Quantiles + 2;

    /// <summary>Writes one picture's row.</summary>
    public static void Write(AssessedPicture picture, PictureSize size, Span<float> row)
    {
        int place = 0;
        double across = 0, down = 0;
        for (int channel = 0; channel < size.Channels; channel++)
        {
            ReadOnlySpan<float> plane = picture.Pixels.AsSpan(channel * size.Height * size.Width, size.Height * size.Width);
            for (int field = 0; field < Grid * Grid; field++)
                row[place++] = Mean(plane, size.Width, Range(field / Grid, size.Height), Range(field % Grid, size.Width));
            for (int i = 1; i < plane.Length; i++)
            {
                across += i % size.Width == 0 ? 0 : Math.Abs(plane[i] - plane[i - 1]);
                down += i < size.Width ? 0 : Math.Abs(plane[i] - plane[i - size.Width]);
            }
        }
        TensorTraits.Spread(picture.Pixels, row.Slice(place, 1 + Quantiles));
        row[^2] = (float)Math.Log(across / size.Elements + 1e-6);
        row[^1] = (float)Math.Log(down / size.Elements + 1e-6);
    }

    // Pictures smaller than the grid have fields of one pixel that overlap.
    private static (int From, int To) Range(int field, int side) => (field * side / Grid, Math.Max(field * side / Grid + 1, (field + 1) * side / Grid));

    private static float Mean(ReadOnlySpan<float> plane, int width, (int From, int To) rows, (int From, int To) columns)
    {
        double sum = 0;
        for (int y = rows.From; y < rows.To; y++)
            for (int x = columns.From; x < columns.To; x++)
                sum += plane[y * width + x];
        return (float)(sum / ((rows.To - rows.From) * (columns.To - columns.From)));
    }
}
