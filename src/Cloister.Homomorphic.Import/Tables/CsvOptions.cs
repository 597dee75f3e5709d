namespace Cloister.Homomorphic.Import;

/// <summary>Which columns of a table are read, and how much a table of unknown origin may cost.</summary>
public sealed record CsvOptions
{
    /// <summary>All columns are features, named by the first line.</summary>
    public static CsvOptions Default { get; } = new();

    /// <summary>Whether the first line names the columns; otherwise they are called Column_0, Column_1, ...</summary>
    public bool Header { get; init; } = true;

    /// <summary>What stands between two cells.</summary>
    public char Separator { get; init; } = ',';

    /// <summary>The features' columns, in the order wanted; null for all but the target and <see cref="Drop"/>.</summary>
    public IReadOnlyList<string>? Columns { get; init; }

    /// <summary>Columns that are left out where <see cref="Columns"/> is null, such as identifiers.</summary>
    public IReadOnlyList<string> Drop { get; init; } = [];

    /// <summary>The column with what is to be predicted, kept as text in <see cref="CsvTable.Target"/>; null for none.</summary>
    public string? Target { get; init; }

    /// <summary>For columns of text: the number that each text stands for.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> Categories { get; init; } =
        new Dictionary<string, IReadOnlyDictionary<string, double>>();

    /// <summary>Cells that are absent, beside empty ones; they become NaN.</summary>
    public IReadOnlyList<string> Absent { get; init; } = ["NA", "NaN", "nan", "null", "?"];

    /// <summary>Columns of a line.</summary>
    public int MaxColumns { get; init; } = 65_536;

    /// <summary>Characters of a line.</summary>
    public int MaxLine { get; init; } = 4 << 20;

    /// <summary>Numbers in the table: eight bytes each.</summary>
    public int MaxCells { get; init; } = 50_000_000;
}
