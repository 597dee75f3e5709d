using System.Collections.Immutable;
using System.CommandLine;
using System.Runtime.Versioning;
using Cloister.Attestation.Measurements;
using Cloister.Cli.CommandLine;
using Cloister.Images.Build;
using Cloister.Images.Channel;
using Cloister.Images.Machines;

namespace Cloister.Cli.Verbs;

/// <summary>What `image run` and `image start` share: which image, as which machine, with what from outside.</summary>
internal sealed class MachineSource
{
    private readonly Argument<string> _image = new("image") { Description = "The built image's folder, or its package." };
    private readonly Argument<string[]> _arguments = new("arguments") { Description = "After --: arguments for the entry that starts, where it takes any.", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string?> _machine = new("--machine") { Description = "The machine: a name, or a folder where it has a slash. Its TPM stays there (the image's name)." };
    private readonly Option<string[]> _ports = new("--port") { Description = "HOST:GUEST, a port of this computer that leads to one of the machine; HOST 0: a free one." };
    private readonly Option<string[]> _disks = new("--disk") { Description = "NAME=FILE, where the data disk of that name is kept; made if absent (in the machine's folder)." };
    private readonly Option<string?> _coordinator = new("--coordinator") { Description = "The coordinator's mesh address; 127.0.0.1 means this computer." };
    private readonly Option<Guid?> _uuid = new("--uuid") { Description = "The workload's UUID (a fresh one)." };
    private readonly Option<string?> _dnsNames = new("--dns-names") { Description = "Names for the workload's certificate, comma separated." };
    private readonly Option<string[]> _environment = new("--env") { Description = "NAME=VALUE, a variable for the entry that starts, where it allows it." };
    private readonly Option<Accelerator> _accelerator = new("--accelerator") { Description = "auto, kvm or tcg (auto: kvm where a probe boot works).", DefaultValueFactory = _ => Accelerator.Auto };
    private readonly Option<BootPath> _boot = new("--boot") { Description = "kernel or disk: how the firmware gets the image. Their measurements differ.", DefaultValueFactory = _ => BootPath.Kernel };
    private readonly Option<string?> _authority = new("--authority") { Description = "The folder of the authority that certifies the machine's TPM (your own, made on first use)." };

    public void AddTo(Command command)
    {
        command.Add(_image);
        command.Add(_arguments);
        foreach (Option option in (Option[])[_machine, _ports, _disks, _coordinator, _uuid, _dnsNames, _environment, _accelerator, _boot, _authority])
            command.Add(option);
    }

    [SupportedOSPlatform("linux")]
    public async Task<MachineOptions> OptionsAsync(ParseResult parsed, CancellationToken cancellation)
    {
        ImageFolder image = await ImageFolder.OpenAsync(parsed.GetRequiredValue(_image), null, cancellation);
        return new MachineOptions
        {
            Image = image.Path,
            // Without a name of its own a machine has its image's.
            Folder = MachineFolder.Named(parsed.GetValue(_machine) ?? image.Definition.Name).Path,
            Ports = [.. (parsed.GetValue(_ports) ?? []).Select(PortForward.Parse)],
            Disks = Pairs(parsed.GetValue(_disks), "--disk", "NAME=FILE"),
            Settings = new MachineSettings
            {
                Coordinator = parsed.GetValue(_coordinator),
                Uuid = parsed.GetValue(_uuid),
                DnsNames = [.. (parsed.GetValue(_dnsNames) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)],
                Arguments = [.. parsed.GetValue(_arguments) ?? []],
                Environment = Pairs(parsed.GetValue(_environment), "--env", "NAME=VALUE"),
            },
            Boot = parsed.GetValue(_boot),
            Accelerator = parsed.GetValue(_accelerator),
            Authority = parsed.GetValue(_authority),
        };
    }

    /// <summary>Reads NAME=VALUE, each name once.</summary>
    public static ImmutableSortedDictionary<string, string> Pairs(string[]? texts, string option, string shape)
    {
        var pairs = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (string text in texts ?? [])
        {
            int equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
                throw new CommandException(ExitCode.Usage, $"{option} '{text}' is not {shape}.");
            if (!pairs.TryAdd(text[..equals], text[(equals + 1)..]))
                throw new CommandException(ExitCode.Usage, $"{option} {text[..equals]} is given twice.");
        }
        return pairs.ToImmutable();
    }
}
