using System.Globalization;

namespace Cloister.Homomorphic.Import;

/// <summary>Which cells of a line are features, in what order, and how their text becomes a number.</summary>
internal sealed class CsvColumns
{
    private const int QuotedCharacters = 40;

    private readonly int _width;
    private readonly int[] _places;
    private readonly IReadOnlyDictionary<string, double>?[] _categories;
    private readonly HashSet<string> _absent;

    private CsvColumns(IReadOnlyList<string> all, IReadOnlyList<string> names, int[] places, int target, CsvOptions options)
    {
        (_width, Names, _places, Target) = (all.Count, names, places, target);
        _categories = [.. names.Select(name => options.Categories.GetValueOrDefault(name))];
        _absent = new HashSet<string>(options.Absent, StringComparer.Ordinal);
    }

    /// <summary>The features' names.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The target's place in a line, or -1.</summary>
    public int Target { get; }

    /// <summary>Chooses among the columns of the first line.</summary>
    public static CsvColumns Of(CsvLines first, CsvOptions options)
    {
        string[] all = new string[first.Count];
        var places = new Dictionary<string, int>(first.Count, StringComparer.Ordinal);
        for (int i = 0; i < all.Length; i++)
        {
            all[i] = options.Header ? first[i].Trim().ToString() : $"Column_{i}";
            if (all[i].Length == 0) throw first.Refuse(ImportError.BadColumnName, $"gives column {i + 1} no name; is there a header?");
            if (!places.TryAdd(all[i], i)) throw first.Refuse(ImportError.BadColumnName, $"names two columns '{all[i]}'; is there a header?");
        }
        int Place(string name) => places.TryGetValue(name, out int at) ? at : throw Unknown(name, all);

        int target = options.Target is { } wanted ? Place(wanted) : -1;
        HashSet<int> dropped = [.. options.Drop.Select(Place)];
        foreach (string name in options.Categories.Keys) Place(name);
        int[] chosen = options.Columns is { } columns
            ? [.. columns.Select(Place)]
            : [.. Enumerable.Range(0, all.Length).Where(i => i != target && !dropped.Contains(i))];
        return new CsvColumns(all, [.. chosen.Select(i => all[i])], chosen, target, options);
    }

    /// <summary>The features of a line.</summary>
    public double[] Row(CsvLines line)
    {
        if (line.Count != _width) throw line.Refuse(ImportError.CellCount, $"has {line.Count} cells where the first has {_width}");
        double[] row = new double[_places.Length];
        for (int i = 0; i < row.Length; i++)
            if (!TryNumber(line[_places[i]], i, out row[i])) throw NotANumber(line, i);
        return row;
    }

    public static ImportException Unknown(string name, IReadOnlyList<string> columns) =>
        new(ImportError.UnknownColumn, $"The table has no column '{name}'. It has: {Listed(columns)}.");

    private bool TryNumber(ReadOnlySpan<char> cell, int feature, out double number)
    {
        cell = cell.Trim();
        if (_categories[feature] is { } categories && categories.TryGetValue(cell.ToString(), out number)) return true;
        if (cell.IsEmpty || _absent.GetAlternateLookup<ReadOnlySpan<char>>().Contains(cell))
        {
            number = double.NaN;
            return true;
        }
        return double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);
    }

    private ImportException NotANumber(CsvLines line, int feature)
    {
        ReadOnlySpan<char> cell = line[_places[feature]].Trim();
        string shown = cell.Length > QuotedCharacters ? $"{cell[..QuotedCharacters]}..." : cell.ToString();
        if (_categories[feature] is not null)
            return line.Refuse(ImportError.NotANumber, $"has '{shown}' in column {_places[feature] + 1} ('{Names[feature]}'), which has no number among its categories");
        string[] text = [.. Names.Where((_, i) => !TryNumber(line[_places[i]], i, out double _))];
        return line.Refuse(ImportError.NotANumber,
            $"has '{shown}' in column {_places[feature] + 1} ('{Names[feature]}'), which is not a finite number. "
            + $"Drop the columns that hold text, or say what number each text stands for; on this line: {Listed(text)}");
    }

    private static string Listed(IReadOnlyList<string> names) =>
        names.Count <= 12 ? string.Join(", ", names) : $"{string.Join(", ", names.Take(12))}, and {names.Count - 12} more";
}
