using System.Collections.Immutable;
using Cloister.Agent.Control;
using Cloister.Agent.Disks;
using Cloister.Agent.Storage;
using Cloister.Images;
using Cloister.Sealing;
using Cloister.Workload;

namespace Cloister.Agent.Programs;

/// <summary>Starts programs: activates the entry if it is to be, puts its files into memory, opens disks, and hands it its variables.</summary>
internal sealed class EntryRunner : IDisposable
{
    private readonly ImageDefinition _definition;
    private readonly GuestSystem _system;
    private readonly Children _children;
    private readonly EntryActivator _activator;
    private readonly IDataDisks _disks;
    private readonly PlacedFiles _files;
    private readonly SemaphoreSlim _turn = new(1);

    public EntryRunner(ImageDefinition definition, GuestSystem system, Children children, EntryActivator activator, IDataDisks disks)
    {
        (_definition, _system, _children, _activator, _disks) = (definition, system, children, activator, disks);
        _files = new PlacedFiles([system.Run, .. definition.Mounts.Select(mount => mount.Path)]);
    }

    /// <summary>Starts what was asked for.</summary>
    /// <param name="request">What is allowed to start.</param>
    /// <param name="output">Whether somebody reads what it writes.</param>
    /// <param name="cancellation">Ends the wait for the coordinator.</param>
    /// <exception cref="ImageException">It cannot be started.</exception>
    /// <exception cref="WorkloadException">It is not activated.</exception>
    public async Task<RunningProgram> StartAsync(EntryRequest request, bool output, CancellationToken cancellation)
    {
        if (request.Entry is { Tpm: true } own) _system.GiveTpm(own.User);
        if (request.Entry is not { Activation: EntryActivation.Agent }) return Spawn(request, null, request.Command, output);

        await _turn.WaitAsync(cancellation); // one activation at a time, so that disks are opened once
        try
        {
            var (activator, activation) = await _activator.ActivateAsync(request, cancellation);
            try
            {
                await _disks.OpenAsync(activator, activation, cancellation);
                foreach (var (path, content) in activation.Parameters.Files.Where(file => !DiskKeyText.IsFile(_definition, file.Key)))
                    _files.Write(path, content.Span, request.Entry.User);
                return Spawn(request, activation, Command(request, activation), output);
            }
            finally
            {
                Forget(activation);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private RunningProgram Spawn(EntryRequest request, Activation? activation, ImmutableArray<string> command, bool output)
    {
        using ProgramEnvironment environment = EntryEnvironment.Build(request, _activator.Joining(request), activation, _definition);
        var (file, arguments) = (request with { Command = command }).Start(_system.Launchers);
        return _children.Start(new ProgramStart(file, arguments, request.Entry?.Directory ?? "/", request.Input, output), environment);
    }

    // A manifest's argument vector replaces the arguments; its first element names the program and does not choose it.
    private static ImmutableArray<string> Command(EntryRequest request, Activation activation) => activation.Parameters.Arguments is { Count: > 0 } vector
        ? [request.Command[0], .. vector.Skip(1)]
        : request.Command;

    // The program has them now, and the disks are open. Identity and certificates stay: the disks' counters are asked under them.
    private static void Forget(Activation activation)
    {
        foreach (SecretBytes value in activation.Parameters.Files.Values.Concat(activation.Parameters.Environment.Values))
            value.Dispose();
        foreach (ModelGrant model in activation.Models)
            model.Key.Dispose();
    }
}
