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
            string fingerprint = ManifestFingerprint.Of(bytes);
            if (outcome.Document is null)
            {
                screen.Result(
                    string.Join('\n', outcome.Problems.Select(problem => $"{problem.Field}: {problem.Message}")),
                    new JsonObject { ["ok"] = false, ["problems"] = new JsonArray([.. outcome.Problems.Select(problem => (JsonNode)new JsonObject { ["field"] = problem.Field, ["problem"] = problem.Message })]) });
                return ExitCode.BadInput;
            }
            screen.Result($"the manifest is well formed\nfingerprint {fingerprint}", new JsonObject { ["ok"] = true, ["fingerprint"] = fingerprint });
            return ExitCode.Success;
        });
}
