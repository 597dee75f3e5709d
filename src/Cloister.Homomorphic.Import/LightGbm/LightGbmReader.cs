using System.Text;
using Cloister.Homomorphic.Models;

namespace Cloister.Homomorphic.Import.LightGbm;

/// <summary>Reads LightGBM's text models, versions 2 to 4 (LightGBM, src/boosting/gbdt_model_text.cpp and src/io/tree.cpp).</summary>
internal static class LightGbmReader
{
    /// <summary>Lines that say nothing about predictions, or that repeat what is known.</summary>
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "label_index", "monotone_constraints", "feature_infos", "tree_sizes", "feature_names", "max_feature_idx", "objective", "num_class",
        "num_tree_per_iteration", "version", "average_output",
    };

    public static PlainModel Read(ReadOnlySpan<byte> bytes, ImportOptions options)
    {
        var lines = new LightGbmLines(Decode(bytes));
        Dictionary<string, string> header = lines.Block();
        if (header.Keys.FirstOrDefault(key => !Known.Contains(key) && key != "tree") is { } unknown)
            throw new ImportException(ImportError.UnknownMember, $"The LightGBM model says '{unknown}', which is not known.");
        if (LightGbmLines.Text(header, "version") is not ("v2" or "v3" or "v4"))
            throw new ImportException(ImportError.UnsupportedVersion, $"The LightGBM model has version '{header["version"]}'; v2 to v4 are read.");

        int scores = LightGbmLines.Count(header, "num_tree_per_iteration", options.MaxScores);
        int features = LightGbmLines.Count(header, "max_feature_idx", options.MaxFeatures - 1, least: 0) + 1;
        string[] names = LightGbmLines.Text(header, "feature_names").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (names.Length != features) throw new ImportException(ImportError.LengthMismatch, $"The LightGBM model names {names.Length} of {features} features.");
        LightGbmObjective objective = LightGbmObjective.Of(header.GetValueOrDefault("objective"), scores);

        var blocks = new List<Dictionary<string, string>>();
        while (lines.NextTree())
        {
            if (blocks.Count == options.MaxTrees) throw new ImportException(ImportError.TooLarge, $"The model has more than {options.MaxTrees} trees.");
            blocks.Add(lines.Block());
        }
        // Every tree has its size in the header: a file that was cut off is not a smaller model.
        int sizes = header.GetValueOrDefault("tree_sizes")?.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length ?? blocks.Count;
        if (blocks.Count == 0 || sizes != blocks.Count || blocks.Count % scores != 0)
            throw new ImportException(ImportError.LengthMismatch, $"The LightGBM model has {blocks.Count} trees where {sizes} are announced; is the file whole?");

        double factor = objective.Factor * (header.ContainsKey("average_output") ? (double)scores / blocks.Count : 1);
        var assembler = new TreeAssembler(options, features, scores);
        var forest = new Forest
        {
            Features = [],
            BaseScores = new double[scores],
            Trees = [.. blocks.Select((block, i) => new LightGbmTree(block, i, scores, factor).Assemble(assembler))],
            Link = objective.Link,
            Classes = objective.Classes,
        };
        return FinishedModel.Of(forest, names, options);
    }

    private static string Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return new UTF8Encoding(false, true).GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw new ImportException(ImportError.Malformed, "The LightGBM model is not UTF-8 text.", e);
        }
    }
}
