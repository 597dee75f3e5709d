using System.Runtime.InteropServices;
using System.Text;
using Cloister.Cli.Quickstart.Encrypted;
using Cloister.Onnx.Pictures;

namespace Cloister.Cli.Quickstart.Partitioned;

/// <summary>The forms in which a picture, the names of classes, or weights that were given away could lie among bytes.</summary>
internal static class PictureTraces
{
    private const int Piece = 48;

    /// <summary>Rows of pixels as bytes, together and by channel, and as 32-bit floats from 0 to 1 and from 0 to 255; and pieces of the file.</summary>
    public static IEnumerable<Trace> OfPicture(string name, byte[] file)
    {
        Picture picture = PictureFile.Read(file);
        foreach (Trace trace in Pieces(name, "a piece of the file", file.AsSpan(8).ToArray())) yield return trace; // files of a format begin alike
        for (int y = 0; y < picture.Height; y++)
        {
            byte[] row = picture.Rgb.AsSpan(3 * picture.Width * y, 3 * picture.Width).ToArray();
            if (IsTelling(row)) yield return new Trace(name, "a row of pixels", row);
            for (int channel = 0; channel < 3; channel++)
            {
                byte[] values = [.. Enumerable.Range(0, picture.Width).Select(x => row[3 * x + channel])];
                if (!IsTelling(values)) continue;
                yield return new Trace(name, "a row of one colour", values);
                yield return new Trace(name, "a row of one colour, floats from 0 to 1", Floats(values, 255));
                yield return new Trace(name, "a row of one colour, floats from 0 to 255", Floats(values, 1));
            }
        }
    }

    /// <summary>Names of classes that are long enough to be no chance.</summary>
    public static IEnumerable<Trace> OfLabels(IEnumerable<string> labels) =>
        labels.Select(label => Encoding.UTF8.GetBytes(label)).Where(label => label.Length >= Trace.Least).Select(label => new Trace("labels", "a class's name", label));

    /// <summary>Pieces of a file.</summary>
    public static IEnumerable<Trace> Pieces(string name, string form, byte[] file) =>
        file.Chunk(Piece).Where(piece => piece.Length == Piece && IsTelling(piece)).Select(piece => new Trace(name, form, piece));

    // Few different values lie together in any file.
    private static bool IsTelling(byte[] bytes) => bytes.Distinct().Count() >= Trace.Least;

    private static byte[] Floats(byte[] values, float scale) => MemoryMarshal.AsBytes<float>(Array.ConvertAll(values, value => value / scale)).ToArray();
}
