using System.Text;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Protocol.Trust;

namespace Cloister.Cli.Quickstart;

/// <summary>Seal, verify, release, predict: the seven steps, each an ordinary command in a process of its own.</summary>
internal sealed class Story(QuickstartOptions options, Stack stack, Narrator narrator, Screen screen)
{
    private readonly Workspace _space = stack.Workspace;
    private CloisterProcess? _serve;

    public async Task RunAsync(CancellationToken cancellation)
    {
        await narrator.StepAsync("model owner", "seals the model and puts it into the store", step => SealAsync(step, cancellation));
        await narrator.StepAsync("operator", "starts the coordinator and sets the manifest", step => CoordinateAsync(step, cancellation));
        await narrator.StepAsync("operator", "starts the inference workload, which asks for activation", step => StartWorkloadAsync(step, cancellation));
        await narrator.StepAsync("model owner", "verifies the coordinator and the manifest, then releases the key", step => ReleaseAsync(step, cancellation));
        await narrator.StepAsync("coordinator", "attests the workload and activates it", step => TellAsync(step, "Activated", cancellation));
        await narrator.StepAsync("workload", "checks the maker's signature, opens the model in memory and serves", step => ServeAsync(step, cancellation));
        await narrator.StepAsync("client", "verifies everything, then sends a picture", step => PredictAsync(step, cancellation));
    }

    private async Task SealAsync(Step step, CancellationToken cancellation)
    {
        await Stack.RunAsync(step, ["model", "keygen", "--out", _space.Owner], cancellation);
        await Stack.RunAsync(step, ["user", "keygen", "--name", StoryManifest.User, "--out", _space.Owner], cancellation);
        JsonObject sealing = await Stack.RunAsync(step, SealArguments("maker.pem", _space.Owner, Path.Combine(_space.Store, StoryManifest.Model + ".sealed")), cancellation);
        (stack.ModelDigest, stack.MakerKey) = ((string)sealing["digest"]!, (string)sealing["makerKey"]!);
    }

    public string[] SealArguments(string maker, string makerFolder, string output) =>
    [
        "model", "seal", "--model", options.Model, "--name", StoryManifest.Model, "--key", Path.Combine(_space.Owner, "model.key"), "--maker", Path.Combine(makerFolder, maker), "--out", output,
        .. options.Labels is { } labels ? ["--labels", labels] : Array.Empty<string>(),
        .. options.Preprocess is { } preprocess ? ["--preprocess", preprocess] : Array.Empty<string>(),
    ];

    private async Task CoordinateAsync(Step step, CancellationToken cancellation)
    {
        string[] simulator = ["simulator", "--socket", stack.SimulatorSocket, "--host-key-folder", _space.Simulator];
        step.Command(simulator);
        JsonObject tee = await stack.Start(Workspace.Program, simulator).WaitForAsync("listening", cancellation);
        step.Say((string)tee["message"]!);
        stack.HostKey = (string)tee["hostKey"]!;
        stack.OperatorKey = (string)(await Stack.RunAsync(step, ["user", "keygen", "--name", "operator", "--out", _space.Operator], cancellation))["publicKey"]!;

        stack.CoordinatorDigest = (string)(await Stack.RunAsync(step, ["workload", "measure", Workspace.Program], cancellation))["digest"]!;
        string policy = StoryManifest.Policy(stack.CoordinatorPackage, stack.OperatorKey, fingerprint: null);
        await WriteAsync(Path.Combine(_space.Operator, "policy.json"), policy, cancellation);
        await WriteAsync(Path.Combine(_space.Owner, "policy.json"), policy, cancellation);
        // What the workload demands of its coordinator lies in the folder that is measured, so nobody can change it unseen.
        Workspace.CopyProgram(_space.Workload);
        await WriteAsync(Path.Combine(_space.Workload, CoordinatorPolicy.FileName), policy, cancellation);
        stack.WorkloadDigest = (string)(await Stack.RunAsync(step, ["workload", "measure", _space.Workload], cancellation))["digest"]!;

        string[] coordinator = stack.CoordinatorArguments(_space.Operator);
        step.Command(coordinator);
        JsonObject listening = await stack.Start(Workspace.Program, coordinator).WaitForAsync("listening", cancellation);
        step.Say((string)listening["message"]!);
        (stack.ClientAddress, stack.MeshAddress) = ("https://" + (string)listening["clientAddress"]!, (string)listening["meshAddress"]!);

        string token = (string)(await Stack.RunAsync(step, ["user", "token", "--out", Path.Combine(_space.Client, "token")], cancellation))["tokenSha256"]!;
        string certificate = await File.ReadAllTextAsync(Path.Combine(_space.Owner, StoryManifest.User + ".crt"), cancellation);
        string manifest = StoryManifest.Manifest(StoryManifest.Simulation(stack.WorkloadDigest, stack.HostKey), stack.ModelDigest, stack.MakerKey, certificate, token);
        await WriteAsync(stack.ManifestFile, manifest, cancellation);
        JsonObject set = await Stack.RunAsync(step,
            ["manifest", "set", stack.ManifestFile, "--coordinator", stack.ClientAddress, "--policy", Path.Combine(_space.Operator, "policy.json"), "--owner-key", Path.Combine(_space.Operator, "operator.key")], cancellation);
        stack.Fingerprint = (string)set["fingerprint"]!;
        // The client was told the fingerprint by somebody it trusts; it accepts no other.
        await WriteAsync(Path.Combine(_space.Client, "policy.json"), StoryManifest.Policy(stack.CoordinatorPackage, stack.OperatorKey, stack.Fingerprint), cancellation);
    }

    private async Task StartWorkloadAsync(Step step, CancellationToken cancellation)
    {
        string[] serve = stack.ServeArguments(_space.Store, "uuid");
        step.Command(serve);
        _serve = stack.Start(_space.Workload, serve);
        await TellAsync(step, "CoordinatorVerified", cancellation);
        await TellAsync(step, "AwaitingSecrets", cancellation);
    }

    private async Task ReleaseAsync(Step step, CancellationToken cancellation)
    {
        string read = Path.Combine(_space.Owner, "manifest.json");
        await Stack.RunAsync(step, ["manifest", "get", "--coordinator", stack.ClientAddress, "--policy", Path.Combine(_space.Owner, "policy.json"), "--out", read], cancellation);
        step.Say("the owner reads it: one package, one workload type, this model, this maker, and who may call it");
        await Stack.RunAsync(step, stack.ReleaseArguments(Path.Combine(_space.Owner, "model.key"), stack.ClientAddress), cancellation);
    }

    private async Task ServeAsync(Step step, CancellationToken cancellation)
    {
        await TellAsync(step, "model", cancellation);
        JsonObject serving = await TellAsync(step, "serving", cancellation);
        stack.WorkloadAddress = $"https://127.0.0.1:{(string)serving["port"]!}";
    }

    private async Task PredictAsync(Step step, CancellationToken cancellation)
    {
        JsonObject prediction = await Stack.RunAsync(step, stack.PredictArguments(stack.ClientAddress, stack.WorkloadAddress, options.Images), cancellation);
        if (screen.Json)
            screen.Result("", (JsonObject)prediction.DeepClone());
    }

    private async Task<JsonObject> TellAsync(Step step, string name, CancellationToken cancellation)
    {
        JsonObject line = await _serve!.WaitForAsync(name, cancellation);
        step.Say((string)line["message"]!);
        return line;
    }

    private static Task WriteAsync(string path, string text, CancellationToken cancellation) => LocalFile.WriteAsync(path, Encoding.UTF8.GetBytes(text), cancellation);
}
