using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Quickstart.Encrypted;

/// <summary>A decrypted answer.</summary>
/// <param name="Class">The class, if the model has any.</param>
/// <param name="Value">The last of its values: the probability of the second of two classes, or the prediction.</param>
internal sealed record DecryptedRow(string? Class, double Value);

/// <summary>The client: its rows lie in its own folder, and `he predict` verifies, encrypts, asks and decrypts.</summary>
internal sealed class EncryptedRows(Stack stack)
{
    // What was verified and what went over the wire; the rows' answers are printed beside the plaintext model's.
    private const int Lines = 3;

    public async Task<IReadOnlyList<DecryptedRow>> AskAsync(Step step, string model, IReadOnlyList<string> features, IReadOnlyList<AskedRow> rows, CancellationToken cancellation)
    {
        string file = Path.Combine(stack.Workspace.Client, "rows.csv");
        var table = new StringBuilder().AppendJoin(',', features.Select(name => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"")).Append('\n');
        foreach (AskedRow row in rows)
            table.AppendJoin(',', row.Values.Select(value => double.IsNaN(value) ? "" : value.ToString(CultureInfo.InvariantCulture))).Append('\n');
        await LocalFile.WriteAsync(file, Encoding.UTF8.GetBytes(table.ToString()), cancellation);
        JsonObject answer = await Stack.RunAsync(step, ["he", "predict", .. stack.ClientArguments(model), "--rows", file], cancellation, Lines);
        return [.. answer["predictions"]!.AsArray().Select(row => new DecryptedRow((string?)row!["class"], (double)row["values"]!.AsArray()[^1]!))];
    }
}
