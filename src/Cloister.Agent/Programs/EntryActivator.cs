using System.Net;
using Cloister.Agent.Control;
using Cloister.Attestation;
using Cloister.Images;
using Cloister.Images.Channel;
using Cloister.Platform;
using Cloister.Workload;

namespace Cloister.Agent.Programs;

/// <summary>
/// Asks the coordinator for what an entry receives. Where the coordinator is comes from the host; who it is, from the measured policy.
/// </summary>
internal sealed class EntryActivator(ImageDefinition definition, GuestSystem system, MachineSettings settings, Reporter reporter) : IDisposable
{
    private readonly List<Activation> _held = [];
    private IEvidenceIssuer? _issuer;

    /// <summary>The coordinator's address in the settings; null if there is none. Names are not resolved inside: the filter lets no such question out.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.SettingsInvalid"/>.</exception>
    public static IPEndPoint? Coordinator(MachineSettings settings)
    {
        if (settings.Coordinator is not { } text) return null;
        return IPEndPoint.TryParse(text, out IPEndPoint? address) && address is { Port: > 0, AddressFamily: System.Net.Sockets.AddressFamily.InterNetwork }
            ? address
            : throw new ImageException(ImageError.SettingsInvalid, "The coordinator's address is no IPv4 address with a port, such as 10.0.2.2:2001; names are not resolved inside a machine.");
    }

    /// <summary>How an entry that activates itself finds its coordinator: the variables that `cloister` and MarbleRun's marbles read. Where it is says nothing of who it is.</summary>
    public IReadOnlyDictionary<string, string> Joining(EntryRequest request)
    {
        var variables = new Dictionary<string, string>();
        if (request.Entry is not { Activation: EntryActivation.Program } entry) return variables;
        if (entry.Marble is { } marble) variables["EDG_MARBLE_TYPE"] = marble;
        if (Coordinator(settings) is { } coordinator) variables["EDG_MARBLE_COORDINATOR_ADDR"] = coordinator.ToString();
        if (!settings.DnsNames.IsEmpty) variables["EDG_MARBLE_DNS_NAMES"] = string.Join(',', settings.DnsNames);
        return variables;
    }

    /// <summary>Activates the entry; waits until it succeeds or is refused for good. The activation lives as long as this object.</summary>
    /// <exception cref="ImageException">Something is missing for it.</exception>
    /// <exception cref="WorkloadException">A refusal that waiting does not change.</exception>
    public async Task<(WorkloadActivator Activator, Activation Activation)> ActivateAsync(EntryRequest request, CancellationToken cancellation)
    {
        string marble = request.Entry?.Marble ?? throw new ImageException(ImageError.DefinitionInvalid, $"The entry '{request.Name}' is to be activated and names no marble.");
        var options = new WorkloadOptions
        {
            MarbleType = marble,
            CoordinatorAddress = Coordinator(settings)?.ToString()
                ?? throw new ImageException(ImageError.SettingsInvalid, $"The entry '{request.Name}' is activated by a coordinator, and no coordinator's address was given."),
            CoordinatorPolicyFile = system.CoordinatorPolicy,
            DnsNames = settings.DnsNames.IsEmpty ? ["localhost"] : settings.DnsNames,
            // Disks may belong to the UUID, and whichever entry comes first opens them.
            Uuid = (request.Name == definition.Start || !definition.Disks.IsEmpty) && settings.Uuid is { } given ? given : Guid.NewGuid(),
        };
        _issuer ??= system.Issuer();
        var activator = new WorkloadActivator(options, _issuer, VerifierRegistry.CreateDefault(), time: system.Time);
        Activation activation = await activator.ActivateAsync(new Teller(reporter), cancellation);
        _held.Add(activation);
        await reporter.EventAsync(GuestEventNames.Activated, $"Activated '{request.Name}' as '{marble}' under manifest {activation.ManifestFingerprint}.",
            ("entry", request.Name!), ("marble", marble), ("manifest", activation.ManifestFingerprint), ("uuid", activation.Uuid.ToString("D")));
        return (activator, activation);
    }

    public void Dispose()
    {
        foreach (Activation activation in _held)
            activation.Dispose();
        _held.Clear();
        (_issuer as IDisposable)?.Dispose();
    }

    /// <summary>Tells each stage once, though it may last for many tries.</summary>
    private sealed class Teller(Reporter reporter) : IProgress<WorkloadState>
    {
        private string _last = "";

        public void Report(WorkloadState state)
        {
            if (state.Message == _last || state.Phase == WorkloadPhase.Activated) return;
            _last = state.Message;
            _ = reporter.EventAsync("activating", state.Message, ("phase", state.Phase.ToString()));
        }
    }
}
