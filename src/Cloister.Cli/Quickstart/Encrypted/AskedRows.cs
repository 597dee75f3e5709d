using Cloister.Cli.CommandLine;
using Cloister.Homomorphic.Import;
using Cloister.Samples.Spam;

namespace Cloister.Cli.Quickstart.Encrypted;

/// <summary>A row that the client asks about.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Values">Its features.</param>
/// <param name="Text">The e-mail that they were computed from, if any.</param>
internal sealed record AskedRow(string Name, double[] Values, string? Text);

/// <summary>What the client asks about: e-mails, or the lines of a table.</summary>
internal static class AskedRows
{
    /// <summary>The e-mails of a folder.</summary>
    public static async Task<IReadOnlyList<AskedRow>> OfMailsAsync(string folder, CancellationToken cancellation)
    {
        var rows = new List<AskedRow>();
        foreach (string file in Directory.GetFiles(folder, "*.txt").Order(StringComparer.Ordinal))
        {
            string mail = await LocalFile.ReadTextAsync(file, cancellation);
            rows.Add(new AskedRow(Path.GetFileNameWithoutExtension(file), SpamFeatures.Of(mail), mail));
        }
        return rows;
    }

    /// <summary>The lines of a table whose first columns are the model's features; a column behind them says the class, and is left out.</summary>
    public static IReadOnlyList<AskedRow> OfTable(string file, int features)
    {
        string? target = ClassOf(file, features);
        try
        {
            return [.. CsvTable.Read(file, new CsvOptions { Target = target }).Rows.Select((row, number) => new AskedRow($"row {number + 1}", row, null))];
        }
        catch (ImportException exception)
        {
            throw new CommandException(ExitCode.BadInput, $"'{file}': {exception.Message}", exception);
        }
    }

    /// <summary>The column behind the features, if there is one.</summary>
    public static string? ClassOf(string file, int features)
    {
        string[] columns;
        try
        {
            columns = (File.ReadLines(file).FirstOrDefault() ?? "").Split(',');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.BadInput, $"'{file}': {exception.Message}", exception);
        }
        if (columns.Length != features && columns.Length != features + 1)
            throw new CommandException(ExitCode.BadInput, $"'{file}' has {columns.Length} columns; the model's {features} features are wanted, and at most the class behind them.");
        return columns.Length > features ? columns[^1].Trim() : null;
    }
}
