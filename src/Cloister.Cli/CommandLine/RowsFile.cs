using System.CommandLine;
using System.Text.Json;
using Cloister.Client;
using Cloister.Homomorphic.Import;
using Cloister.Homomorphic.Models;

namespace Cloister.Cli.CommandLine;

/// <summary>Rows named on the command line, CSV or JSON, as a model wants them: columns by name, absent cells NaN.</summary>
internal sealed class RowsFile(bool required)
{
    private const int Limit = 256 << 20;

    private readonly Option<string?> _rows = new("--rows") { Description = "Rows: CSV whose first line names the columns, or JSON (a file that ends with .json): an array of objects by feature, or of arrays in the features' order. Columns that the model does not want are left out.", Required = required };
    private readonly Option<bool> _noHeader = new("--no-header") { Description = "The CSV has no names: its columns are the features, in their order." };
    private readonly Option<bool> _strict = new("--strict") { Description = "Refuse values out of the model's range, instead of holding them at its end." };

    public void AddTo(Command verb)
    {
        verb.Add(_rows);
        verb.Add(_noHeader);
        verb.Add(_strict);
    }

    public bool IsGiven(ParseResult parsed) => parsed.GetValue(_rows) is not null;

    /// <summary>Reads and checks; says which features are out of range.</summary>
    public async Task<(IReadOnlyList<double[]> Rows, int OutOfRange)> ReadAsync(ParseResult parsed, ClientSpecification specification, Screen screen, CancellationToken cancellation)
    {
        string path = parsed.GetValue(_rows) ?? throw new CommandException(ExitCode.Usage, "Name the rows with --rows.");
        byte[] file = await LocalFile.ReadAsync(path, cancellation, Limit);
        IReadOnlyList<double[]> rows = path.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? ReadJson(file, specification, path) : ReadCsv(file, specification, !parsed.GetValue(_noHeader), path);
        IReadOnlyDictionary<string, int> outside = RowCheck.Require(specification, rows, parsed.GetValue(_strict));
        foreach ((string feature, int count) in outside)
            screen.Warn($"{count} value(s) of '{feature}' are outside the range that the model was calibrated for; they are held at its end.");
        return (rows, outside.Values.Sum());
    }

    private static IReadOnlyList<double[]> ReadCsv(byte[] file, ClientSpecification specification, bool header, string path)
    {
        string[] features = [.. specification.Features.Select(feature => feature.Name)];
        using var stream = new MemoryStream(file, writable: false);
        if (header) return CsvTable.Read(stream, new CsvOptions { Columns = features }).Rows;
        CsvTable table = CsvTable.Read(stream, new CsvOptions { Header = false });
        return table.Columns.Count == features.Length
            ? table.Rows
            : throw new CommandException(ExitCode.BadInput, $"'{path}' has {table.Columns.Count} columns; the model has {features.Length} features: {string.Join(", ", features)}.");
    }

    private static List<double[]> ReadJson(byte[] file, ClientSpecification specification, string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(file, new JsonDocumentOptions { MaxDepth = 3, AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind != JsonValueKind.Array) throw new CommandException(ExitCode.BadInput, $"'{path}' is no JSON array of rows.");
            return [.. document.RootElement.EnumerateArray().Select((row, index) => ReadRow(row, specification, $"'{path}', row {index + 1}"))];
        }
        catch (JsonException exception)
        {
            throw new CommandException(ExitCode.BadInput, $"'{path}' is no JSON: line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}.", exception);
        }
    }

    private static double[] ReadRow(JsonElement row, ClientSpecification specification, string where)
    {
        IReadOnlyList<FeatureSpecification> features = specification.Features;
        if (row.ValueKind == JsonValueKind.Array && row.GetArrayLength() == features.Count)
            return [.. row.EnumerateArray().Select((cell, index) => ReadCell(cell, features[index].Name, where))];
        if (row.ValueKind != JsonValueKind.Object)
            throw new CommandException(ExitCode.BadInput, $"{where}: expected an object by feature, or an array of {features.Count} numbers.");
        return [.. features.Select(feature => row.TryGetProperty(feature.Name, out JsonElement cell) ? ReadCell(cell, feature.Name, where) : double.NaN)];
    }

    private static double ReadCell(JsonElement cell, string feature, string where) => cell.ValueKind switch
    {
        JsonValueKind.Number when cell.TryGetDouble(out double number) => number,
        JsonValueKind.Null => double.NaN,
        _ => throw new CommandException(ExitCode.BadInput, $"{where}: '{feature}' is neither a number nor null."),
    };
}
