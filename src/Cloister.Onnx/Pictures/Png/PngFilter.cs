namespace Cloister.Onnx.Pictures.Png;

/// <summary>PNG's row filters (PNG, 9). <c>distance</c> is the number of bytes from a pixel to the one left of it.</summary>
internal static class PngFilter
{
    public static void Undo(int type, Span<byte> row, ReadOnlySpan<byte> above, int distance)
    {
        switch (type)
        {
            case 0:
                break;
            case 1:
                for (int i = distance; i < row.Length; i++)
                    row[i] += row[i - distance];
                break;
            case 2:
                for (int i = 0; i < row.Length; i++)
                    row[i] += above[i];
                break;
            case 3:
                for (int i = 0; i < row.Length; i++)
                    row[i] += (byte)(((i < distance ? 0 : row[i - distance]) + above[i]) / 2);
                break;
            case 4:
                for (int i = 0; i < row.Length; i++)
                    row[i] += i < distance ? above[i] : Paeth(row[i - distance], above[i], above[i - distance]);
                break;
            default:
                throw new PictureException(PictureError.BadPixelData, $"A row has filter type {type}; PNG has 0 to 4.");
        }
    }

    /// <summary>The neighbour nearest to left + above - upper left; ties go left, above, upper left in this order.</summary>
    public static byte Paeth(byte left, byte above, byte upperLeft)
    {
        int estimate = left + above - upperLeft;
        int toLeft = Math.Abs(estimate - left), toAbove = Math.Abs(estimate - above), toUpperLeft = Math.Abs(estimate - upperLeft);
        return toLeft <= toAbove && toLeft <= toUpperLeft ? left : toAbove <= toUpperLeft ? above : upperLeft;
    }
}
