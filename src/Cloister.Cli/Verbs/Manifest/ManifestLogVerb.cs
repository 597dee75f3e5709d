using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Client.MarbleRun;

namespace Cloister.Cli.Verbs;

internal static class ManifestLogVerb
{
    private static readonly Reach Coordinator = new(Trust.Kept);
    private static readonly Option<string?> Output = new("--output", "-o") { Description = "Write the log to this file." };

    public static Command Create() => Coordinator.AddTo(new Verb("log", "Read the log of changes: one JSON document an event, with its time and user.",
            "cloister manifest log localhost:4433 --policy owner/policy.json",
            "cloister manifest log localhost:4433 --coordinator-cert coordinator.pem -o update.log") { Output })
        .Runs(async (parsed, screen, cancellation) =>
        {
            ReachedCoordinator reached = await Coordinator.OpenAsync(parsed, screen, cancellation);
            using MarbleRunClient client = reached.Client();
            IReadOnlyList<string> log = await client.GetUpdateLogAsync(cancellation);
            string text = string.Join('\n', log);
            if (parsed.GetValue(Output) is { } path)
                await LocalFile.WriteAsync(path, Encoding.UTF8.GetBytes(text + "\n"), cancellation);
            screen.Result(parsed.GetValue(Output) is { } file ? $"wrote the update log to '{file}'" : text,
                new JsonObject { ["log"] = new JsonArray([.. log.Select(line => (JsonNode)JsonValue.Create(line))]) });
        });
}
