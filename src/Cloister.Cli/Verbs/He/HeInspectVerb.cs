using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Wire;

namespace Cloister.Cli.Verbs;

internal static class HeInspectVerb
{
    private const int Limit = 1 << 30;

    private static readonly Argument<string> File = new("file") { Description = "A key, query, answer, compiled model, specification, or an object of SEAL." };
    private static readonly Option<string?> Specification = new("--spec") { Description = "A model's client specification: what is made for it is read whole, and checked." };

    public static Command Create() => new Verb("inspect", "Say what a file of encrypted inference is: parameters, sizes, security. Never a secret.",
        "cloister he inspect client.key",
        "cloister he inspect rows.query --spec client.json") { File, Specification }
        .Runs(async (parsed, screen, cancellation) =>
        {
            byte[] file = await LocalFile.ReadAsync(parsed.GetRequiredValue(File), cancellation, Limit);
            ClientSpecification? specification = parsed.GetValue(Specification) is { } path ? await EncryptedModelFiles.ReadSpecificationAsync(path, cancellation) : null;
            WireInspection inspection = WireInspection.Of(file, specification);
            int width = inspection.Facts.Max(fact => fact.Key.Length);
            screen.Result($"{inspection.Kind}\n{string.Join('\n', inspection.Facts.Select(fact => $"  {fact.Key.PadRight(width)}  {fact.Value}"))}",
                new JsonObject
                {
                    ["kind"] = inspection.Kind,
                    ["facts"] = new JsonArray([.. inspection.Facts.Select(fact => (JsonNode)new JsonObject { ["name"] = fact.Key, ["value"] = fact.Value })]),
                });
        });
}
