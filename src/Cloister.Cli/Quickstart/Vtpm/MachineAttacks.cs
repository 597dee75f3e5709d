using System.Text;
using System.Text.Json.Nodes;
using Cloister.Attestation.Measurements;
using Cloister.Cli.CommandLine;
using Cloister.Cli.Quickstart.Attacks;

namespace Cloister.Cli.Quickstart.Vtpm;

/// <summary>Machines that are not the one in the manifest. Each boots, quotes with a real TPM, and asks for activation.</summary>
internal sealed class MachineAttacks(Stack stack, VtpmStory story) : IDisposable
{
    private const int Gzip = 0x8B1F, GzipSystem = 9, CpioTime = 53;

    // Two boot at a time: more would only wait for the processor.
    private readonly SemaphoreSlim _places = new(2);

    private string Genuine => StoryImages.Built(story.Images.Workload);

    /// <summary>All of them start at once, as far as there is room, so that one boots while another is told.</summary>
    public IEnumerable<Attack> All(CancellationToken cancellation)
    {
        (string Name, Func<string, CancellationToken, Task<AttackOutcome>> Run)[] attacks =
        [
            ("a machine whose initrd differs in one byte asks for activation", ChangedInitrdAsync),
            ("the host appends to the kernel's command line", OtherCommandLineAsync),
            ("a debug image of the same workload asks for activation", DebugImageAsync),
            ("the genuine image boots on a machine with another authority's TPM", OtherTpmAsync),
        ];
        Task<AttackOutcome>[] running = [.. attacks.Select((attack, i) => InPlaceAsync(attack.Run, Path.Combine(stack.Workspace.Operator, "attack-" + i), cancellation))];
        return attacks.Zip(running, (attack, outcome) => new Attack(attack.Name, _ => outcome));
    }

    public void Dispose() => _places.Dispose();

    private async Task<AttackOutcome> InPlaceAsync(Func<string, CancellationToken, Task<AttackOutcome>> attack, string folder, CancellationToken cancellation)
    {
        await _places.WaitAsync(cancellation);
        try
        {
            return await attack(Directory.CreateDirectory(folder).FullName, cancellation);
        }
        finally
        {
            _places.Release();
        }
    }

    private async Task<AttackOutcome> ChangedInitrdAsync(string folder, CancellationToken cancellation)
    {
        byte[] uki = await File.ReadAllBytesAsync(Path.Combine(Genuine, "uki.efi"), cancellation);
        int initrd = PortableExecutable.Read(uki).Value.Sections.Single(section => section.Name == ".initrd").FileOffset;
        // A byte that Linux never looks at: the machine that boots does the very same.
        uki[initrd + (BitConverter.ToUInt16(uki, initrd) == Gzip ? GzipSystem : CpioTime)] ^= 1;
        string changed = Path.Combine(folder, "changed.efi");
        await File.WriteAllBytesAsync(changed, uki, cancellation);
        return await BootAsync(Genuine, folder, story.Authority, $"for i in \"${{!args[@]}}\"; do [[ \"${{args[$i]}}\" == -kernel ]] && args[$((i + 1))]='{changed}'; done", cancellation);
    }

    private async Task<AttackOutcome> OtherCommandLineAsync(string folder, CancellationToken cancellation)
    {
        ReadOnlyMemory<byte> line = UnifiedKernelImage.Read(await File.ReadAllBytesAsync(Path.Combine(Genuine, "uki.efi"), cancellation)).Value.CommandLine;
        return await BootAsync(Genuine, folder, story.Authority, $"args+=(-append '{Encoding.UTF8.GetString(line.Span).TrimEnd('\0')} mitigations=off')", cancellation);
    }

    private async Task<AttackOutcome> DebugImageAsync(string folder, CancellationToken cancellation)
    {
        string definition = Path.Combine(folder, "definition");
        await story.Images.WriteWorkloadAsync(definition, await File.ReadAllTextAsync(Path.Combine(stack.Workspace.Operator, "policy.json"), cancellation), debug: true, cancellation);
        await Stack.RunAsync(new Step(), ["image", "build", definition, "--output", StoryImages.Built(definition)], cancellation);
        return await BootAsync(StoryImages.Built(definition), folder, story.Authority, change: null, cancellation);
    }

    private async Task<AttackOutcome> OtherTpmAsync(string folder, CancellationToken cancellation)
    {
        string authority = Path.Combine(folder, "tpm-authority");
        await Stack.RunAsync(new Step(), ["image", "authority", authority], cancellation);
        return await BootAsync(Genuine, folder, authority, change: null, cancellation);
    }

    private async Task<AttackOutcome> BootAsync(string image, string folder, string authority, string? change, CancellationToken cancellation)
    {
        IReadOnlyDictionary<string, string>? environment = change is null ? null : await HostileHost.CreateAsync(Path.Combine(folder, "host"), change, cancellation);
        var machine = new MeasuredMachine(stack, image, Path.Combine(folder, "machine"));
        await machine.StartAsync(new Step(), [StoryImages.ServingPort], stack.MeshAddress, authority, environment, cancellation);
        await using CloisterProcess process = machine.Process;
        JsonObject? line = await process.FindAsync(one => (string?)one["event"] == "Activated" || one["error"] is not null, cancellation);
        if (line is null)
            throw new CommandException(ExitCode.Failure, $"The machine ended before it asked for activation: {process.Error ?? process.Transcript}");
        return (string?)line["error"] is { } reason ? AttackOutcome.RefusedBy("the coordinator", reason) : AttackOutcome.Accepted("the coordinator");
    }
}
