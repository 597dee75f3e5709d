using System.Text;

namespace Cloister.Homomorphic.Import;

/// <summary>A table of numbers with named columns; an absent cell is NaN.</summary>
/// <param name="Columns">The names, in order.</param>
/// <param name="Rows">One array a row, as long as <paramref name="Columns"/>.</param>
public sealed record CsvTable(IReadOnlyList<string> Columns, IReadOnlyList<double[]> Rows)
{
    /// <summary>What is to be predicted, as text, one a row; empty where no target was asked for.</summary>
    public IReadOnlyList<string> Target { get; init; } = [];

    /// <summary>Reads a file.</summary>
    /// <param name="path">UTF-8 text, RFC 4180.</param>
    /// <param name="options">Which columns; null for all.</param>
    /// <exception cref="ImportException">A 3xx refusal, with line and column.</exception>
    public static CsvTable Read(string path, CsvOptions? options = null)
    {
        using FileStream file = File.OpenRead(path);
        return Read(file, options);
    }

    /// <summary>Reads only the names of a file's columns.</summary>
    /// <param name="path">UTF-8 text, RFC 4180.</param>
    /// <param name="options">Separator and header; null for the default.</param>
    /// <exception cref="ImportException">A 3xx refusal.</exception>
    public static IReadOnlyList<string> ReadColumns(string path, CsvOptions? options = null)
    {
        options ??= CsvOptions.Default;
        using FileStream file = File.OpenRead(path);
        using StreamReader text = Open(file, options);
        var lines = new CsvLines(text, options);
        if (!lines.Read()) throw new ImportException(ImportError.EmptyTable, "The table is empty.");
        return CsvColumns.Of(lines, new CsvOptions { Header = options.Header }).Names;
    }

    /// <summary>Reads a stream to its end and leaves it open.</summary>
    /// <param name="stream">UTF-8 text, RFC 4180.</param>
    /// <param name="options">Which columns; null for all.</param>
    /// <exception cref="ImportException">A 3xx refusal, with line and column.</exception>
    public static CsvTable Read(Stream stream, CsvOptions? options = null)
    {
        options ??= CsvOptions.Default;
        using StreamReader text = Open(stream, options);
        var lines = new CsvLines(text, options);
        if (!lines.Read()) throw new ImportException(ImportError.EmptyTable, "The table is empty.");
        CsvColumns columns = CsvColumns.Of(lines, options);
        var rows = new List<double[]>();
        var target = new List<string>();
        bool more = !options.Header || lines.Read();
        for (; more; more = lines.Read())
        {
            if ((long)(rows.Count + 1) * Math.Max(columns.Names.Count, 1) > options.MaxCells)
                throw lines.Refuse(ImportError.TableTooLarge, $"takes the table beyond {options.MaxCells} numbers");
            rows.Add(columns.Row(lines));
            if (columns.Target >= 0) target.Add(lines[columns.Target].Trim().ToString());
        }
        return rows.Count > 0
            ? new CsvTable(columns.Names, rows) { Target = target }
            : throw new ImportException(ImportError.EmptyTable, "The table has a header and no rows.");
    }

    /// <summary>The same table with the given columns in the given order, as a model wants them.</summary>
    /// <exception cref="ImportException"><see cref="ImportError.UnknownColumn"/>.</exception>
    public CsvTable Select(IReadOnlyList<string> columns)
    {
        if (Columns.SequenceEqual(columns)) return this;
        var places = new Dictionary<string, int>(Columns.Count, StringComparer.Ordinal);
        for (int i = 0; i < Columns.Count; i++) places[Columns[i]] = i;
        int[] from = [.. columns.Select(name => places.TryGetValue(name, out int at) ? at : throw CsvColumns.Unknown(name, Columns))];
        return this with { Columns = [.. columns], Rows = [.. Rows.Select(row => Array.ConvertAll(from, at => row[at]))] };
    }

    private static StreamReader Open(Stream stream, CsvOptions options) => options.Separator is '"' or '\r' or '\n'
        ? throw new ArgumentException("The separator is a mark of the format itself.", nameof(options))
        : new StreamReader(stream, new UTF8Encoding(false, throwOnInvalidBytes: true), leaveOpen: true);

    /// <summary>For fuzzing: reads anything; whatever is accepted is rectangular.</summary>
    internal static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        foreach (bool header in (ReadOnlySpan<bool>)[true, false])
        {
            try
            {
                using var stream = new MemoryStream(bytes.ToArray());
                CsvTable table = Read(stream, new CsvOptions { Header = header, MaxCells = 1 << 20, MaxColumns = 1 << 10 });
                if (table.Rows.Any(row => row.Length != table.Columns.Count || row.Any(double.IsInfinity)))
                    throw new InvalidOperationException("A table was accepted that is not one of finite numbers.");
            }
            catch (ImportException)
            {
                // The documented refusal.
            }
        }
    }
}
