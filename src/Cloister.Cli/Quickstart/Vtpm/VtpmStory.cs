using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Quickstart.Vtpm;

/// <summary>
/// The story on measured machines: coordinator and workload are images that boot in virtual machines of their own, and the model's key is
/// released only to a machine whose TPM quotes what was predicted when its image was built.
/// </summary>
internal sealed class VtpmStory(QuickstartOptions options, Stack stack, Narrator narrator, Screen screen) : Story(options, stack, narrator, screen)
{
    private MeasuredMachine? _workload;

    public StoryImages Images { get; } = new(stack.Workspace);

    /// <summary>The authority that endorses the TPMs of this operator's machines.</summary>
    public string Authority => Path.Combine(Stack.Workspace.Operator, "tpm-authority");

    protected override async Task CoordinateAsync(Step step, CancellationToken cancellation)
    {
        await MakeOperatorKeyAsync(step, cancellation);
        JsonObject authority = await Stack.RunAsync(step, ["image", "authority", Authority], cancellation);
        using X509Certificate2 root = X509CertificateLoader.LoadCertificateFromFile((string)authority["root"]!);
        if (MachineMemory.IsEnoughFor(2, out string shortage))
            await StartMeasuredCoordinatorAsync(step, root, cancellation);
        else
        {
            step.Say($"WARNING: {shortage} The coordinator runs outside, with SIMULATED evidence; the workload is measured all the same.");
            await StartSimulatorAsync(step, cancellation);
            await MeasureCoordinatorAsync(step, cancellation);
            await WritePoliciesAsync(cancellation);
            await StartCoordinatorAsync(step, cancellation);
        }
        await Images.WriteWorkloadAsync(Images.Workload, await WritePoliciesAsync(cancellation), debug: false, cancellation);
        await BuildAsync(step, Images.Workload, cancellation);
        Stack.WorkloadPackage = await MeasuredPackage.ReadAsync(StoryImages.Built(Images.Workload), root, cancellation);
        await SetManifestAsync(step, cancellation);
    }

    protected override async Task<CloisterProcess> StartServerAsync(Step step, CancellationToken cancellation)
    {
        _workload = new MeasuredMachine(Stack, StoryImages.Built(Images.Workload), Path.Combine(Stack.Workspace.Operator, "workload-machine"));
        await _workload.StartAsync(step, [StoryImages.ServingPort], Stack.MeshAddress, Authority, environment: null, cancellation);
        return _workload.Process;
    }

    protected override string ServerAddress(string port) => base.ServerAddress(_workload!.HostPort(StoryImages.ServingPort).ToString(CultureInfo.InvariantCulture));

    private async Task StartMeasuredCoordinatorAsync(Step step, X509Certificate2 root, CancellationToken cancellation)
    {
        await Images.WriteCoordinatorAsync(Stack.OperatorKey, cancellation);
        await BuildAsync(step, Images.Coordinator, cancellation);
        Stack.CoordinatorPackage = await MeasuredPackage.ReadAsync(StoryImages.Built(Images.Coordinator), root, cancellation);
        var coordinator = new MeasuredMachine(Stack, StoryImages.Built(Images.Coordinator), Path.Combine(Stack.Workspace.Operator, "coordinator-machine"));
        await coordinator.StartAsync(step, [StoryImages.ClientPort, StoryImages.MeshPort], coordinator: null, Authority, environment: null, cancellation);
        JsonObject listening = await coordinator.Process.WaitForAsync("listening", cancellation);
        step.Say((string)listening["message"]!);
        Stack.ClientAddress = $"https://127.0.0.1:{coordinator.HostPort(StoryImages.ClientPort)}";
        Stack.MeshAddress = $"127.0.0.1:{coordinator.HostPort(StoryImages.MeshPort)}";
    }

    private static Task<JsonObject> BuildAsync(Step step, string folder, CancellationToken cancellation) =>
        Stack.RunAsync(step, ["image", "build", folder, "--output", StoryImages.Built(folder)], cancellation, said: 1);
}
