using System.Globalization;
using System.Text;

namespace Cloister.Samples.Spam;

/// <summary>The files that training makes and the repository holds, by their paths within the sample's folder.</summary>
internal static class Artefacts
{
    public const string Model = "model/spam.onnx", Calibration = "model/calibration.csv";

    /// <summary>How many steps the quantiles of the calibration file have.</summary>
    public const int Quantiles = 64;

    /// <summary>The model, and the ranges of its features. Neither holds a row of the table.</summary>
    public static IReadOnlyDictionary<string, byte[]> Make(LogisticRegression model, SpamTable table) => new SortedDictionary<string, byte[]>(StringComparer.Ordinal)
    {
        [Model] = OnnxExport.Write(model),
        [Calibration] = Encoding.UTF8.GetBytes(Ranges(table)),
    };

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

    /// <summary>The files that are absent below a folder or differ by a byte.</summary>
    public static IReadOnlyList<string> Differences(IReadOnlyDictionary<string, byte[]> files, string folder) =>
        [.. files.Where(file => Path.Combine(folder, file.Key) is var path && !(File.Exists(path) && File.ReadAllBytes(path).AsSpan().SequenceEqual(file.Value))).Select(file => file.Key)];

    /// <summary>Line q holds, of every feature by itself, the value that q of 64 parts of the table do not exceed; the first line is all zeros, which an empty mail has.</summary>
    private static string Ranges(SpamTable table)
    {
        int features = SpamFeatures.Names.Count, last = table.Rows.Length - 1;
        double[][] sorted = [.. Enumerable.Range(0, features).Select(feature => table.Rows.Select(row => row[feature]).Order().ToArray())];
        var text = new StringBuilder().AppendJoin(',', SpamFeatures.Names).Append('\n').AppendJoin(',', Enumerable.Repeat('0', features)).Append('\n');
        for (int quantile = 0; quantile <= Quantiles; quantile++)
            text.AppendJoin(',', sorted.Select(values => values[quantile * last / Quantiles].ToString(CultureInfo.InvariantCulture))).Append('\n');
        return text.ToString();
    }
}
