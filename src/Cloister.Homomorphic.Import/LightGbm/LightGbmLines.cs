using System.Globalization;

namespace Cloister.Homomorphic.Import.LightGbm;

/// <summary>LightGBM's text: lines of <c>key=value</c>, in blocks of which each tree's begins with <c>Tree=</c> and its number.</summary>
internal sealed class LightGbmLines(string text)
{
    private int _at;
    private int _trees;

    /// <summary>The lines up to the next tree or the end of all trees.</summary>
    public Dictionary<string, string> Block()
    {
        var block = new Dictionary<string, string>(StringComparer.Ordinal);
        for (int start = _at; Next() is { } line; start = _at)
        {
            if (line.Length == 0) continue;
            if (line.StartsWith("Tree=", StringComparison.Ordinal) || line is "end of trees" or "feature importances:" or "feature_importances:")
            {
                _at = start;
                break;
            }
            int equals = line.IndexOf('=', StringComparison.Ordinal);
            (string key, string value) = equals < 0 ? (line, "") : (line[..equals], line[(equals + 1)..]);
            if (!block.TryAdd(key, value)) throw new ImportException(ImportError.Malformed, $"The LightGBM model says '{Short(key)}' twice in one block.");
        }
        return block;
    }

    /// <summary>Goes behind the next <c>Tree=</c> line; false where there is none.</summary>
    public bool NextTree()
    {
        int start = _at;
        string expected = $"Tree={_trees.ToString(CultureInfo.InvariantCulture)}";
        string? line = Next();
        if (line == expected)
        {
            _trees++;
            return true;
        }
        _at = start;
        return line is null || !line.StartsWith("Tree=", StringComparison.Ordinal)
            ? false
            : throw new ImportException(ImportError.Malformed, $"The LightGBM model has '{Short(line)}' where {expected} is due.");
    }

    public static string Text(Dictionary<string, string> block, string key) =>
        block.TryGetValue(key, out string? value) ? value : throw new ImportException(ImportError.MissingMember, $"The LightGBM model does not say '{key}'.");

    public static int Count(Dictionary<string, string> block, string key, int most, int least = 1)
    {
        string value = Text(block, key);
        if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int count) || count < least)
            throw new ImportException(ImportError.Malformed, $"The LightGBM model says '{key}={Short(value)}', which is no count.");
        return count <= most ? count : throw new ImportException(ImportError.TooLarge, $"The LightGBM model says '{key}={count}'; up to {most} are read.");
    }

    /// <summary>Exactly <paramref name="count"/> numbers.</summary>
    public static double[] Numbers(Dictionary<string, string> block, string key, int count)
    {
        string[] words = Text(block, key).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length != count) throw new ImportException(ImportError.LengthMismatch, $"The LightGBM model has {words.Length} numbers in '{key}' where {count} are due.");
        return Array.ConvertAll(words, word => Number(key, word));
    }

    /// <summary>Exactly <paramref name="count"/> integers.</summary>
    public static int[] Integers(Dictionary<string, string> block, string key, int count) =>
        Array.ConvertAll(Numbers(block, key, count), value =>
            value is >= int.MinValue and <= int.MaxValue && Math.Floor(value) == value
                ? (int)value
                : throw new ImportException(ImportError.Malformed, $"The LightGBM model has a number in '{key}' that is no integer."));

    private static double Number(string key, string word)
    {
        if (double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value)) return value;
        throw word.TrimStart('-', '+') is "inf" or "nan" || !double.IsFinite(value)
            ? new ImportException(ImportError.NotFinite, $"The LightGBM model has a number in '{key}' that is not finite.")
            : new ImportException(ImportError.Malformed, $"The LightGBM model has '{Short(word)}' in '{key}', which is no number.");
    }

    private string? Next()
    {
        if (_at >= text.Length) return null;
        int end = text.IndexOf('\n', _at);
        if (end < 0) end = text.Length;
        string line = text[_at..end].TrimEnd('\r');
        _at = end + 1;
        return line;
    }

    private static string Short(string value) => value.Length > 40 ? $"{value[..40]}..." : value;
}
