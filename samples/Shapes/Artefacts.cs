using System.Text;
using System.Text.Json;
using Cloister.Onnx.Pictures;
using Cloister.Samples.Shapes.Drawing;
using Cloister.Samples.Shapes.Learning;

namespace Cloister.Samples.Shapes;

/// <summary>The files that this sample makes and the repository holds, by their paths within the sample's folder.</summary>
internal static class Artefacts
{
    public const string Model = "model/shapes.onnx";
    private const int TopFive = 5, SamplePictures = 10;

    /// <summary>The model, its labels, ten held-out drawings (one a label) and what the network says about them.</summary>
    public static IReadOnlyDictionary<string, byte[]> Make(Network network)
    {
        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal)
        {
            [Model] = OnnxExport.Write(network),
            ["model/labels.txt"] = Encoding.UTF8.GetBytes(string.Concat(Outlines.Labels.Select(label => label + "\n"))),
            ["model/expected.json"] = Expected(network),
        };
        for (int index = 0; index < SamplePictures; index++)
            files[$"pictures/{PictureName(index)}"] = PngWriter.Write(ShapeDrawing.Draw(Trainer.HeldOutSeed, index));
        return files;
    }

    /// <summary>Writes the files below a folder.</summary>
    public static void Save(IReadOnlyDictionary<string, byte[]> files, string folder)
    {
        foreach ((string name, byte[] bytes) in files)
        {
            string path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, bytes);
        }
    }

    /// <summary>The files that are absent below a folder or differ: by the byte, pictures by the pixel, since zlib's bytes depend on the platform.</summary>
    public static IReadOnlyList<string> Differences(IReadOnlyDictionary<string, byte[]> files, string folder)
    {
        return [.. files.Where(file => !Same(file.Key, file.Value)).Select(file => file.Key)];

        bool Same(string name, byte[] bytes)
        {
            string path = Path.Combine(folder, name);
            return File.Exists(path) && File.ReadAllBytes(path) is var stored
                && (name.EndsWith(".png", StringComparison.Ordinal)
                    ? PngReader.Read(stored).Rgb.AsSpan().SequenceEqual(PngReader.Read(bytes).Rgb)
                    : stored.AsSpan().SequenceEqual(bytes));
        }
    }

    private static string PictureName(int index) => Outlines.Labels[ShapeDrawing.LabelOf(index)] + ".png";

    private static byte[] Expected(Network network)
    {
        var activations = new Activations(network);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteString("model", "shapes.onnx");
            json.WriteString("input", "image");
            json.WriteString("output", "probabilities");
            json.WriteString("preprocess", "unit");
            json.WriteStartObject("images");
            for (int index = 0; index < SamplePictures; index++)
            {
                activations.Forward(ShapeDrawing.Draw(Trainer.HeldOutSeed, index));
                json.WriteStartArray(PictureName(index));
                foreach (int label in Enumerable.Range(0, Outlines.Labels.Count).OrderByDescending(i => activations.Probabilities[i]).Take(TopFive))
                {
                    json.WriteStartObject();
                    json.WriteNumber("index", label);
                    json.WriteNumber("p", Math.Round(activations.Probabilities[label], 7));
                    json.WriteString("label", Outlines.Labels[label]);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        buffer.WriteByte((byte)'\n');
        return buffer.ToArray();
    }
}
