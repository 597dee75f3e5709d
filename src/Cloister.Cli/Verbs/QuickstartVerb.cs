using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Cli.Quickstart;
using Cloister.Cli.Quickstart.Attacks;

namespace Cloister.Cli.Verbs;

internal static class QuickstartVerb
{
    private static readonly Option<bool> Attacks = new("--attacks") { Description = "Then try everything that must be refused, and print each refusal with its reason." };
    private static readonly Option<bool> Keep = new("--keep") { Description = "Leave everything running until Ctrl+C, and print commands to talk to it with curl." };
    private static readonly Option<string?> Model = new("--model") { Description = "An ONNX model of your own instead of the sample." };
    private static readonly Option<string?> Labels = new("--labels") { Description = "Its labels, one a line." };
    private static readonly Option<string?> Preprocess = new("--preprocess") { Description = "Its preprocessing, for example bgr-mean." };
    private static readonly Option<string[]> Images = new("--image") { Description = "Pictures to classify; may be given several times." };
    private static readonly Option<string?> Folder = new("--workspace") { Description = "An empty folder for everybody's files; without it a temporary one, removed at the end." };

    public static Command Create() => new Verb("quickstart", "Run the confidential inference service with separate processes over TLS: seal, verify, release, predict.",
        "cloister quickstart",
        "cloister quickstart --attacks",
        "cloister quickstart --keep",
        "cloister quickstart --model squeezenet.onnx --labels imagenet.txt --preprocess bgr-mean --image cat.png")
        { Attacks, Keep, Model, Labels, Preprocess, Images, Folder }
        .Runs(RunAsync);

    private static async Task<ExitCode> RunAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        QuickstartOptions options = Options(parsed);
        using var workspace = new Workspace(parsed.GetValue(Folder));
        await using var stack = new Stack(workspace);
        screen.Line("Everything below runs on this machine with SIMULATED evidence: every check is made, nothing is proven against this machine's owner.");
        var narrator = new Narrator(screen, TimeProvider.System);
        var story = new Story(options, stack, narrator, screen);
        await story.RunAsync(cancellation);
        bool refused = !options.Attacks || await new AttackSeries(stack, story, options, narrator).RunAsync(cancellation);
        if (options.Keep)
            await KeepAsync(stack, screen, cancellation);
        return refused ? ExitCode.Success : ExitCode.Failure;
    }

    private static async Task KeepAsync(Stack stack, Screen screen, CancellationToken cancellation)
    {
        string[] commands =
        [
            $"curl -sk {stack.ClientAddress}/api/v3/status",
            $"curl -sk {stack.ClientAddress}/api/v3/manifest",
            $"curl -sk {stack.WorkloadAddress}/v2/health/ready",
            $"curl -sk -H \"Authorization: Bearer $(cat {stack.Workspace.Client}/token)\" {stack.WorkloadAddress}/v2/models/{StoryManifest.Model}",
        ];
        screen.Result(
            $"\nIt goes on until Ctrl+C. Talk to it (curl -k verifies nothing; `cloister predict` verifies all):\n  {string.Join("\n  ", commands)}",
            new JsonObject { ["event"] = "kept", ["coordinator"] = stack.ClientAddress, ["workload"] = stack.WorkloadAddress, ["workspace"] = stack.Workspace.Root, ["curl"] = new JsonArray([.. commands.Select(command => (JsonNode)command)]) });
        await Stop.WaitAsync(cancellation);
    }

    private static QuickstartOptions Options(ParseResult parsed)
    {
        string[] images = parsed.GetValue(Images) ?? [];
        string sample = Path.Combine(AppContext.BaseDirectory, "sample");
        bool own = parsed.GetValue(Model) is not null;
        if (own && images.Length == 0)
            throw new CommandException(ExitCode.Usage, "--model needs at least one --image to classify.");
        return new QuickstartOptions
        {
            Model = parsed.GetValue(Model) ?? Path.Combine(sample, "shapes.onnx"),
            Labels = parsed.GetValue(Labels) ?? (own ? null : Path.Combine(sample, "labels.txt")),
            Preprocess = parsed.GetValue(Preprocess) ?? (own ? null : "unit"),
            Images = images.Length > 0 ? images : [Path.Combine(sample, "star.png")],
            Attacks = parsed.GetValue(Attacks),
            Keep = parsed.GetValue(Keep),
            Workspace = parsed.GetValue(Folder),
        };
    }
}
