using System.CommandLine;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Cli.Quickstart;
using Cloister.Cli.Quickstart.Attacks;
using Cloister.Cli.Quickstart.Encrypted;
using Cloister.Cli.Quickstart.Partitioned;
using Cloister.Cli.Quickstart.Vtpm;

namespace Cloister.Cli.Verbs;

internal static class QuickstartVerb
{
    private const string Enclave = "enclave", Partitioned = "partitioned", Encrypted = "encrypted", Simulated = "simulated", Vtpm = "vtpm";

    private static readonly Option<bool> Attacks = new("--attacks") { Description = "Then try everything that must be refused, and print each refusal with its reason." };
    private static readonly Option<bool> Keep = new("--keep") { Description = "Leave everything running until Ctrl+C, and print commands to talk to it with curl." };
    private static readonly Option<string?> Model = new("--model") { Description = "An ONNX model of your own instead of the sample." };
    private static readonly Option<string?> Labels = new("--labels") { Description = "Its labels, one a line." };
    private static readonly Option<string?> Preprocess = new("--preprocess") { Description = "Its preprocessing, for example bgr-mean." };
    private static readonly Option<string[]> Images = new("--image") { Description = "Pictures to classify; may be given several times." };
    private static readonly Option<string> Mode = new("--mode") { Description = "enclave: a picture classifier that the chip protects. partitioned: the same in parts, the middle on an accelerator that nobody trusts, with an assessment of what that gives away and a search of what went there. encrypted: a classifier of e-mails that computes on ciphertexts, and a search of the server's memory and log.", DefaultValueFactory = _ => Enclave };
    private static readonly Option<string> Tee = new("--tee") { Description = "simulated: processes that a simulator measures. vtpm: coordinator and workload are measured machines, built here and booted in QEMU with a TPM each.", DefaultValueFactory = _ => Simulated };
    private static readonly Option<string?> Rows = new("--rows") { Description = "With --mode encrypted: a CSV table to ask about instead of the sample's e-mails; its first columns are the model's features." };
    private static readonly Option<string?> Folder = new("--workspace") { Description = "An empty folder for everybody's files; without it a temporary one, removed at the end." };

    public static Command Create() => new Verb("quickstart", "Run the confidential inference service with separate processes over TLS: seal, verify, release, predict.",
        "cloister quickstart",
        "cloister quickstart --attacks",
        "cloister quickstart --tee vtpm --attacks",
        "cloister quickstart --keep",
        "cloister quickstart --mode partitioned",
        "cloister quickstart --mode encrypted",
        "cloister quickstart --mode encrypted --model logreg-breast.onnx --rows breast_cancer_wisconsin.csv",
        "cloister quickstart --model squeezenet.onnx --labels imagenet.txt --preprocess bgr-mean --image cat.png")
        { Mode, Tee, Attacks, Keep, Model, Labels, Preprocess, Images, Rows, Folder }
        .Runs(RunAsync);

    private static async Task<ExitCode> RunAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        EncryptedOptions? encrypted = EncryptedOptionsOf(parsed);
        bool measured = Measured(parsed);
        QuickstartOptions options = Options(parsed);
        using var workspace = new Workspace(parsed.GetValue(Folder));
        await using var stack = new Stack(workspace);
        screen.Line(measured
            ? "Coordinator and workload are measured machines on this machine: what they boot is proven by their TPMs. Those are this host's software, so whoever controls the host is trusted (docs/vtpm.md)."
            : "Everything below runs on this machine with SIMULATED evidence: every check is made, nothing is proven against this machine's owner.");
        var narrator = new Narrator(screen, TimeProvider.System);
        await using PartitionedStory? inParts = parsed.GetRequiredValue(Mode) == Partitioned ? new PartitionedStory(options, stack, narrator, screen) : null;
        Story story = measured ? new VtpmStory(options, stack, narrator, screen)
            : encrypted is not null ? new EncryptedStory(encrypted, options, stack, narrator, screen)
            : (Story?)inParts ?? new Story(options, stack, narrator, screen);
        await story.RunAsync(cancellation);
        bool proven = story is not (EncryptedStory { Proven: false } or PartitionedStory { Proven: false } or PartitionedStory { Refused: false });
        bool refused = !options.Attacks || await AttackAsync(stack, story, options, narrator, cancellation);
        if (options.Keep)
            await KeepAsync(stack, encrypted is not null, screen, cancellation);
        return refused && proven ? ExitCode.Success : ExitCode.Failure;
    }

    private static async Task<bool> AttackAsync(Stack stack, Story story, QuickstartOptions options, Narrator narrator, CancellationToken cancellation)
    {
        if (story is not VtpmStory onMachines)
            return await AttackSeries.RunAsync(AttackSeries.OnPrograms(stack, story, options), narrator, cancellation);
        using var machines = new MachineAttacks(stack, onMachines);
        return await AttackSeries.RunAsync([.. machines.All(cancellation), .. new InterceptionAttacks(stack, options).All()], narrator, cancellation);
    }

    private static bool Measured(ParseResult parsed)
    {
        string tee = parsed.GetRequiredValue(Tee);
        if (tee is not (Simulated or Vtpm))
            throw new CommandException(ExitCode.Usage, $"'{tee}' is no --tee: simulated and vtpm are.");
        if (tee == Vtpm && parsed.GetRequiredValue(Mode) != Enclave)
            throw new CommandException(ExitCode.Usage, "--tee vtpm is for --mode enclave.");
        return tee == Vtpm;
    }

    private static async Task KeepAsync(Stack stack, bool encrypted, Screen screen, CancellationToken cancellation)
    {
        string[] commands =
        [
            $"curl -sk {stack.ClientAddress}/api/v3/status",
            $"curl -sk {stack.ClientAddress}/api/v3/manifest",
            $"curl -sk {stack.WorkloadAddress}/v2/health/ready",
            $"curl -sk -H \"Authorization: Bearer $(cat {stack.Workspace.Client}/token)\" {stack.WorkloadAddress}/v2/models/{stack.Models[0].Name}",
            .. encrypted ? [$"curl -sk -H \"Authorization: Bearer $(cat {stack.Workspace.Client}/token)\" {stack.WorkloadAddress}/v2/models/{stack.Models[0].Name}/encrypted"] : Array.Empty<string>(),
        ];
        string page = encrypted
            ? $"\nAsk in a browser, on this machine:\n  cloister he page {string.Join(' ', stack.ClientArguments(stack.Models[0].Name))} --folder samples/EncryptedPage"
            : "";
        screen.Result(
            $"\nIt goes on until Ctrl+C. Talk to it (curl -k verifies nothing; `cloister predict` verifies all):\n  {string.Join("\n  ", commands)}{page}",
            new JsonObject { ["event"] = "kept", ["coordinator"] = stack.ClientAddress, ["workload"] = stack.WorkloadAddress, ["workspace"] = stack.Workspace.Root, ["curl"] = new JsonArray([.. commands.Select(command => (JsonNode)command)]) });
        await Stop.WaitAsync(cancellation);
    }

    private static EncryptedOptions? EncryptedOptionsOf(ParseResult parsed)
    {
        string mode = parsed.GetRequiredValue(Mode);
        (string? model, string? rows) = (parsed.GetValue(Model), parsed.GetValue(Rows));
        if (mode == Enclave)
            return rows is null ? null : throw new CommandException(ExitCode.Usage, "--rows is for --mode encrypted.");
        if (mode == Partitioned)
        {
            bool others = parsed.GetValue(Attacks) || model is not null || parsed.GetValue(Labels) is not null || parsed.GetValue(Preprocess) is not null || parsed.GetValue(Images) is { Length: > 0 };
            return rows is null && !others ? null
                : throw new CommandException(ExitCode.Usage, "--mode partitioned tells its story with the sample, and always tries what must be refused: --model, --labels, --preprocess, --image, --rows and --attacks are for other modes.");
        }
        if (mode != Encrypted)
            throw new CommandException(ExitCode.Usage, $"'{mode}' is no --mode: enclave, partitioned and encrypted are.");
        if (parsed.GetValue(Attacks) || parsed.GetValue(Labels) is not null || parsed.GetValue(Preprocess) is not null || parsed.GetValue(Images) is { Length: > 0 })
            throw new CommandException(ExitCode.Usage, "--attacks, --labels, --preprocess and --image are for --mode enclave.");
        if (model is not null && rows is null)
            throw new CommandException(ExitCode.Usage, "--model needs --rows with --mode encrypted: a table of the model's features, to calibrate on and to ask about.");
        return EncryptedOptions.Of(model, rows);
    }

    private static QuickstartOptions Options(ParseResult parsed)
    {
        string[] images = parsed.GetValue(Images) ?? [];
        string sample = Path.Combine(AppContext.BaseDirectory, "sample");
        bool encrypted = parsed.GetRequiredValue(Mode) == Encrypted, own = encrypted || parsed.GetValue(Model) is not null;
        if (!encrypted && own && images.Length == 0)
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
