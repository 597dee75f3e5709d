using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Wire;

namespace Cloister.Cli.Verbs;

internal static class HeEncryptVerb
{
    private static readonly Option<string> Specification = EncryptedModelFiles.Specification();
    private static readonly Option<string> Key = EncryptedModelFiles.Key();
    private static readonly RowsFile Rows = new(required: true);
    private static readonly Option<string> Out = new("--out") { Description = "The query file.", Required = true };
    private static readonly Passphrase Words = new();

    public static Command Create()
    {
        var verb = new Verb("encrypt", "Encrypt rows for a model, offline. Whoever gets the query can compute on it and read nothing.",
            "cloister he encrypt --spec client.json --client-key client.key --rows rows.csv --out rows.query",
            "cloister he encrypt --spec client.json --client-key client.key --rows rows.json --strict --out rows.query") { Specification, Key, Out };
        Rows.AddTo(verb);
        Words.AddTo(verb);
        return verb.Runs(EncryptAsync);
    }

    private static async Task EncryptAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        ClientSpecification specification = await EncryptedModelFiles.ReadSpecificationAsync(parsed.GetRequiredValue(Specification), cancellation);
        (IReadOnlyList<double[]> rows, int outOfRange) = await Rows.ReadAsync(parsed, specification, screen, cancellation);
        using ClientKey key = await EncryptedModelFiles.ReadKeyAsync(parsed.GetRequiredValue(Key), Words, parsed, cancellation);
        using var model = new KeyedModel(specification, key);
        byte[] query = model.Encrypt(rows);
        string path = parsed.GetRequiredValue(Out);
        await LocalFile.WriteAsync(path, query, cancellation);
        screen.Result($"encrypted {rows.Count} row(s) for '{specification.Model}': {query.Length:N0} bytes in '{path}'",
            new JsonObject { ["file"] = path, ["rows"] = rows.Count, ["outOfRange"] = outOfRange, ["bytes"] = query.Length, ["keyId"] = model.KeyId.ToString(), ["digest"] = specification.Digest });
    }
}
