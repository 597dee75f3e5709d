using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Protocol.Manifest;

namespace Cloister.Cli.Verbs;

internal static class ManifestCheckVerb
{
    private static readonly Argument<string> ManifestPath = new("file") { Description = "The manifest, JSON." };
    private static readonly Option<ManifestDialect> Dialect = new("--dialect") { Description = "Cloister refuses unknown members; MarbleRun ignores them.", DefaultValueFactory = _ => ManifestDialect.Cloister };

    public static Command Create() => new Verb("check", "Check a manifest here, without a coordinator; list every problem.",
        "cloister manifest check manifest.json",
        "cloister manifest check manifest.json --dialect MarbleRun") { ManifestPath, Dialect }
        .Runs(async (parsed, screen, cancellation) =>
        {
            byte[] bytes = await LocalFile.ReadAsync(parsed.GetRequiredValue(ManifestPath), cancellation, ManifestReader.MaxBytes);
            ManifestOutcome outcome = ManifestReader.Read(bytes, parsed.GetValue(Dialect));
            bool accepted = outcome.Problems.IsEmpty;
            IEnumerable<string> lines =
            [
                .. outcome.Problems.Select(problem => $"{problem.Field}: {problem.Message}"),
                .. outcome.Warnings.Select(warning => $"warning: {warning.Field}: {warning.Message}"),
                accepted ? $"the manifest is well formed\nfingerprint {outcome.Fingerprint}" : $"the manifest has {outcome.Problems.Length} problem(s)",
            ];
            screen.Result(string.Join('\n', lines),
                new JsonObject { ["ok"] = accepted, ["fingerprint"] = outcome.Fingerprint, ["problems"] = ToJson(outcome.Problems), ["warnings"] = ToJson(outcome.Warnings) });
            return accepted ? ExitCode.Success : ExitCode.BadInput;
        });

    private static JsonArray ToJson(IEnumerable<ManifestProblem> problems) =>
        new([.. problems.Select(problem => (JsonNode)new JsonObject { ["field"] = problem.Field, ["problem"] = problem.Message })]);
}
