namespace Cloister.Onnx.Pictures.Jpeg;

/// <summary>How the stored rows and columns lie in the picture (Exif 2.32, 4.6.4, tag Orientation): 1 as they are, 6 and 8 turned by a quarter.</summary>
internal readonly record struct JpegOrientation(int Number)
{
    /// <summary>As it is stored.</summary>
    public static JpegOrientation Upright => new(1);

    /// <summary>Whether stored rows are the picture's columns.</summary>
    public bool Turns => Number >= 5;

    /// <summary>Where the first stored pixel goes, and how far it is from there to the next one in the row and to the next row, in pixels of the picture.</summary>
    /// <param name="width">Stored pixels in a row.</param>
    /// <param name="height">Stored rows.</param>
    public (int First, int Column, int Row) Walk(int width, int height)
    {
        int stride = Turns ? height : width;
        (int column, int row) = Turns ? (stride, 1) : (1, stride);
        bool columnsBack = Number is 2 or 3 or 7 or 8, rowsBack = Number is 3 or 4 or 6 or 7;
        int first = (columnsBack ? (width - 1) * column : 0) + (rowsBack ? (height - 1) * row : 0);
        return (first, columnsBack ? -column : column, rowsBack ? -row : row);
    }
}
