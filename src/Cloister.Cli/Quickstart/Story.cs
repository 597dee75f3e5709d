using System.Text;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Protocol.Trust;

namespace Cloister.Cli.Quickstart;

/// <summary>Seal, verify, release, predict: the seven steps, each an ordinary command in a process of its own.</summary>
internal class Story(QuickstartOptions options, Stack stack, Narrator narrator, Screen screen)
{
    private readonly Workspace _space = stack.Workspace;

    protected Stack Stack { get; } = stack;

    protected Narrator Narrator { get; } = narrator;

    protected Screen Screen { get; } = screen;

    /// <summary>The inference workload, once it was started.</summary>
    protected CloisterProcess? Server { get; private set; }

    public async Task RunAsync(CancellationToken cancellation)
    {
        await PrepareAsync(cancellation);
        await Narrator.StepAsync("model owner", "seals the model and puts it into the store", step => SealAsync(step, cancellation));
        await Narrator.StepAsync("operator", "starts the coordinator and sets the manifest", step => CoordinateAsync(step, cancellation));
        await Narrator.StepAsync("operator", "starts the inference workload, which asks for activation", step => StartWorkloadAsync(step, cancellation));
        await Narrator.StepAsync("model owner", "verifies the coordinator and the manifest, then releases the key", step => ReleaseAsync(step, cancellation));
        await Narrator.StepAsync("coordinator", "attests the workload and activates it", step => TellAsync(step, "Activated", cancellation));
        await Narrator.StepAsync("workload", "checks the maker's signature, opens the model in memory and serves", step => ServeAsync(step, cancellation));
        await AskAsync(cancellation);
    }

    /// <summary>What the owner does before the model is sealed.</summary>
    protected virtual Task PrepareAsync(CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>The models that the owner seals: each an ONNX file or an encrypted model, with its name.</summary>
    protected virtual Task<IReadOnlyList<(string Name, string File)>> ModelsAsync(Step step, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<(string, string)>>([(StoryManifest.Model, options.Model)]);

    /// <summary>Further options of the inference workload.</summary>
    protected virtual IReadOnlyList<string> ServeOptions => [];

    /// <summary>What the client does when everything stands.</summary>
    protected virtual Task AskAsync(CancellationToken cancellation) =>
        Narrator.StepAsync("client", "verifies everything, then sends a picture", step => PredictAsync(step, cancellation));

    private async Task SealAsync(Step step, CancellationToken cancellation)
    {
        await Stack.RunAsync(step, ["model", "keygen", "--out", _space.Owner], cancellation);
        await Stack.RunAsync(step, ["user", "keygen", "--name", StoryManifest.User, "--out", _space.Owner], cancellation);
        foreach ((string name, string file) in await ModelsAsync(step, cancellation))
        {
            JsonObject sealing = await Stack.RunAsync(step, SealArguments("maker.pem", _space.Owner, Path.Combine(_space.Store, name + ".sealed"), name, file), cancellation,
                said: Stack.Models.Count == 0 ? int.MaxValue : 1);
            Stack.Models.Add(Describe(new StoryModel(name, (string)sealing["digest"]!, (string)sealing["makerKey"]!)));
        }
    }

    public string[] SealArguments(string maker, string makerFolder, string output) => SealArguments(maker, makerFolder, output, StoryManifest.Model, options.Model);

    private string[] SealArguments(string maker, string makerFolder, string output, string name, string file) =>
    [
        "model", "seal", .. Content(name, file), "--name", name, "--key", Path.Combine(_space.Owner, "model.key"), "--maker", Path.Combine(makerFolder, maker), "--out", output,
    ];

    /// <summary>What is sealed, as options of `model seal`.</summary>
    protected virtual IEnumerable<string> Content(string name, string file) =>
    [
        "--model", file,
        .. options.Labels is { } labels ? ["--labels", labels] : Array.Empty<string>(),
        .. options.Preprocess is { } preprocess ? ["--preprocess", preprocess] : Array.Empty<string>(),
    ];

    /// <summary>What the manifest says of a sealed model beside who made it.</summary>
    protected virtual StoryModel Describe(StoryModel model) => model;

    /// <summary>The operator's step: what coordinator and workload are, the coordinator itself, and the manifest that names the workload.</summary>
    protected virtual async Task CoordinateAsync(Step step, CancellationToken cancellation)
    {
        await StartSimulatorAsync(step, cancellation);
        await MakeOperatorKeyAsync(step, cancellation);
        await MeasureCoordinatorAsync(step, cancellation);
        // What the workload demands of its coordinator lies in the folder that is measured, so nobody can change it unseen.
        Workspace.CopyProgram(_space.Workload);
        await WriteAsync(Path.Combine(_space.Workload, CoordinatorPolicy.FileName), await WritePoliciesAsync(cancellation), cancellation);
        Stack.WorkloadDigest = (string)(await Stack.RunAsync(step, ["workload", "measure", _space.Workload], cancellation))["digest"]!;
        Stack.WorkloadPackage = StoryManifest.Simulation(Stack.WorkloadDigest, Stack.HostKey);
        await StartCoordinatorAsync(step, cancellation);
        await SetManifestAsync(step, cancellation);
    }

    /// <summary>Starts this machine's simulated TEE.</summary>
    protected async Task StartSimulatorAsync(Step step, CancellationToken cancellation)
    {
        string[] simulator = ["simulator", "--socket", Stack.SimulatorSocket, "--host-key-folder", _space.Simulator];
        step.Command(simulator);
        JsonObject tee = await Stack.Start(Workspace.Program, simulator).WaitForAsync("listening", cancellation);
        step.Say((string)tee["message"]!);
        Stack.HostKey = (string)tee["hostKey"]!;
    }

    /// <summary>The key that signs the manifest.</summary>
    protected async Task MakeOperatorKeyAsync(Step step, CancellationToken cancellation) => Stack.OperatorKey =
        (string)(await Stack.RunAsync(step, ["user", "keygen", "--name", "operator", "--out", _space.Operator], cancellation))["publicKey"]!;

    /// <summary>What the simulator will say of the coordinator.</summary>
    protected async Task MeasureCoordinatorAsync(Step step, CancellationToken cancellation)
    {
        Stack.CoordinatorDigest = (string)(await Stack.RunAsync(step, ["workload", "measure", Workspace.Program], cancellation))["digest"]!;
        Stack.CoordinatorPackage = StoryManifest.Simulation(Stack.CoordinatorDigest, Stack.HostKey);
    }

    /// <summary>Writes down by what operator and owner judge the coordinator; returns it.</summary>
    protected async Task<string> WritePoliciesAsync(CancellationToken cancellation)
    {
        string policy = StoryManifest.Policy(Stack.CoordinatorPackage, Stack.OperatorKey, fingerprint: null);
        await WriteAsync(Path.Combine(_space.Operator, "policy.json"), policy, cancellation);
        await WriteAsync(Path.Combine(_space.Owner, "policy.json"), policy, cancellation);
        return policy;
    }

    /// <summary>Starts the coordinator as a process of this machine, with simulated evidence.</summary>
    protected async Task StartCoordinatorAsync(Step step, CancellationToken cancellation)
    {
        string[] coordinator = Stack.CoordinatorArguments(_space.Operator);
        step.Command(coordinator);
        JsonObject listening = await Stack.Start(Workspace.Program, coordinator).WaitForAsync("listening", cancellation);
        step.Say((string)listening["message"]!);
        (Stack.ClientAddress, Stack.MeshAddress) = ("https://" + (string)listening["clientAddress"]!, (string)listening["meshAddress"]!);
    }

    /// <summary>Signs and sets the manifest, which names the workload's package.</summary>
    protected async Task SetManifestAsync(Step step, CancellationToken cancellation)
    {
        string token = (string)(await Stack.RunAsync(step, ["user", "token", "--out", Path.Combine(_space.Client, "token")], cancellation))["tokenSha256"]!;
        string certificate = await File.ReadAllTextAsync(Path.Combine(_space.Owner, StoryManifest.User + ".crt"), cancellation);
        string manifest = StoryManifest.Manifest(Stack.WorkloadPackage, Stack.Models, certificate, token);
        await WriteAsync(Stack.ManifestFile, manifest, cancellation);
        JsonObject set = await Stack.RunAsync(step,
            ["manifest", "set", Stack.ManifestFile, "--coordinator", Stack.ClientAddress, "--policy", Path.Combine(_space.Operator, "policy.json"), "--owner-key", Path.Combine(_space.Operator, "operator.key")], cancellation);
        Stack.Fingerprint = (string)set["fingerprint"]!;
        // The client was told the fingerprint by somebody it trusts; it accepts no other.
        await WriteAsync(Path.Combine(_space.Client, "policy.json"), StoryManifest.Policy(Stack.CoordinatorPackage, Stack.OperatorKey, Stack.Fingerprint), cancellation);
    }

    /// <summary>Starts the workload; returns the process that tells of it.</summary>
    protected virtual Task<CloisterProcess> StartServerAsync(Step step, CancellationToken cancellation)
    {
        string[] serve = [.. Stack.ServeArguments(_space.Store, "uuid"), .. ServeOptions];
        step.Command(serve);
        return Task.FromResult(Stack.Start(_space.Workload, serve));
    }

    /// <summary>Where the workload is reached, which says that it listens at <paramref name="port"/>.</summary>
    protected virtual string ServerAddress(string port) => $"https://127.0.0.1:{port}";

    private async Task StartWorkloadAsync(Step step, CancellationToken cancellation)
    {
        Server = await StartServerAsync(step, cancellation);
        await TellAsync(step, "CoordinatorVerified", cancellation);
        await TellAsync(step, "AwaitingSecrets", cancellation);
    }

    private async Task ReleaseAsync(Step step, CancellationToken cancellation)
    {
        string read = Path.Combine(_space.Owner, "manifest.json");
        await Stack.RunAsync(step, ["manifest", "get", "--coordinator", Stack.ClientAddress, "--policy", Path.Combine(_space.Owner, "policy.json"), "--out", read], cancellation);
        step.Say("the owner reads it: one package, one workload type, this model, this maker, and who may call it");
        await Stack.RunAsync(step, Stack.ReleaseArguments(Path.Combine(_space.Owner, "model.key"), Stack.ClientAddress), cancellation);
    }

    private async Task ServeAsync(Step step, CancellationToken cancellation)
    {
        foreach (StoryModel _ in Stack.Models.Where(model => model.Marble == StoryManifest.MarbleType))
            await TellAsync(step, "model", cancellation);
        JsonObject serving = await TellAsync(step, "serving", cancellation);
        Stack.WorkloadAddress = ServerAddress((string)serving["port"]!);
    }

    private async Task PredictAsync(Step step, CancellationToken cancellation)
    {
        JsonObject prediction = await Stack.RunAsync(step, Stack.PredictArguments(Stack.ClientAddress, Stack.WorkloadAddress, options.Images), cancellation);
        if (Screen.Json)
            Screen.Result("", (JsonObject)prediction.DeepClone());
    }

    private async Task<JsonObject> TellAsync(Step step, string name, CancellationToken cancellation)
    {
        JsonObject line = await Server!.WaitForAsync(name, cancellation);
        step.Say((string)line["message"]!);
        return line;
    }

    protected static Task WriteAsync(string path, string text, CancellationToken cancellation) => LocalFile.WriteAsync(path, Encoding.UTF8.GetBytes(text), cancellation);
}
