using System.Globalization;
using Cloister.Onnx.Pictures;
using Cloister.Samples.Shapes.Drawing;

namespace Cloister.Cli.Quickstart.Partitioned;

/// <summary>Pictures like those that the sample's classifier was trained on, drawn here: no data set is needed to assess it.</summary>
internal static class SampleDrawings
{
    // The classifier's own training drew from other seeds.
    private const ulong Seed = 20_261_122;

    /// <summary>Draws <paramref name="count"/> pictures of 32 x 32 pixels into a folder that does not exist yet.</summary>
    public static async Task WriteAsync(string folder, int count, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        for (int i = 0; i < count; i++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"{i:D4}-{Outlines.Labels[ShapeDrawing.LabelOf(i)]}.png");
            await File.WriteAllBytesAsync(Path.Combine(folder, name), PngWriter.Write(ShapeDrawing.Draw(Seed, i)), cancellation);
        }
    }
}
