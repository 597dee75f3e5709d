using System.Globalization;
using Cloister.Agent.Disks;
using Cloister.Agent.Interop;
using Cloister.Agent.Programs;
using Cloister.Images;
using Cloister.Images.Channel;
using Cloister.Platform;
using Cloister.Workload;

namespace Cloister.Agent.Control;

/// <summary>
/// A machine's life: close it, say that it is ready, start its program, start what the host asks for and the definition allows, and at the end
/// commit disks. It ends when the program that it started by itself ends, when the host asks, or when the host is gone.
/// </summary>
internal sealed class Supervisor(ImageDefinition definition, GuestSystem system, GuestChannel channel, CancellationToken stopSignal) : IDisposable
{
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(10);

    private readonly Reporter _reporter = new(definition, channel);
    private readonly CancellationTokenSource _ending = new();
    private readonly Lock _gate = new();
    private readonly List<RunningProgram> _running = [];
    private readonly List<Task> _execs = [];

    /// <summary>Lives it. Returns when nothing is left but to power off.</summary>
    /// <returns>Why it ended, where that was a failure; null otherwise.</returns>
    public async Task<string?> RunAsync(Children children)
    {
        int? code = null;
        string? reason = null;
        try
        {
            system.Prepare(definition);
            await channel.SendReadyAsync(new GuestReady(GuestReady.CurrentVersion, definition.Name, [.. definition.Entries.Keys], definition.Debug), CancellationToken.None);
            Task listening = channel.RunAsync(CancellationToken.None);
            MachineSettings settings = await channel.Settings;
            if (EntryActivator.Coordinator(settings) is { } coordinator) system.ReachCoordinator(definition, coordinator);
            await _reporter.EventAsync(GuestEventNames.Booted, $"The machine '{definition.Name}' is closed: nothing starts in it and nothing passes its network but what its image says.");
            code = await LiveAsync(children, settings, listening);
        }
        catch (Exception failed) when (IsFailure(failed))
        {
            reason = failed.Message;
            await _reporter.EventAsync(GuestEventNames.Refused, reason);
        }
        await _reporter.StoppedAsync(code, reason);
        return reason;
    }

    public void Dispose() => _ending.Dispose();

    // What goes wrong as documented; anything else is this program's own mistake.
    private static bool IsFailure(Exception failed) =>
        failed is ImageException or WorkloadException or PlatformException or KernelException or IOException or UnauthorizedAccessException;

    private async Task<int?> LiveAsync(Children children, MachineSettings settings, Task listening)
    {
        using IDataDisks disks = system.Disks(definition, _reporter);
        using var activator = new EntryActivator(definition, system, settings, _reporter);
        using var runner = new EntryRunner(definition, system, children, activator, disks);
        Task serving = ServeAsync(runner);
        Task<int?> own = StartAsync(runner, settings);
        try
        {
            Task first = await Task.WhenAny(own, channel.StopRequested, listening, disks.Lost, Task.Delay(Timeout.Infinite, stopSignal));
            if (first == own) return await own;
            if (disks.Lost.IsCompleted) await disks.Lost; // nothing that programs do from here on would be kept
            if (listening.IsCompleted) await listening; // a host that breaks the protocol is told so here
            return null;
        }
        finally
        {
            await _ending.CancelAsync();
            await EndProgramsAsync(channel.StopRequested.IsCompletedSuccessfully ? TimeSpan.FromSeconds((await channel.StopRequested).Seconds) : s_grace);
            await Task.WhenAll(serving, own).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            system.EndAll();
            foreach (string disk in await disks.CommitAsync(CancellationToken.None))
                await _reporter.EventAsync(GuestEventNames.Sealed, $"The disk '{disk}' was committed.", ("disk", disk));
        }
    }

    // The program that the image starts by itself. Without one, the machine waits to be asked.
    private async Task<int?> StartAsync(EntryRunner runner, MachineSettings settings)
    {
        if (definition.Start is not { } name)
        {
            await Task.Delay(Timeout.Infinite, _ending.Token);
            return null;
        }
        EntryRequest request = EntryRequest.OfStart(definition, name, settings);
        return await RunAsync(runner, request, _reporter.TellsOutput, _reporter.LogAsync, (_, _) => Task.CompletedTask);
    }

    private async Task ServeAsync(EntryRunner runner)
    {
        await foreach (GuestExec exec in channel.Execs.ReadAllAsync(_ending.Token))
        {
            lock (_gate)
            {
                _execs.RemoveAll(ended => ended.IsCompleted);
                _execs.Add(ExecAsync(runner, exec));
            }
        }
    }

    private async Task ExecAsync(EntryRunner runner, GuestExec exec)
    {
        ExecExit exit;
        try
        {
            EntryRequest request = EntryRequest.Of(definition, exec.Request);
            exit = new ExecExit(await RunAsync(runner, request, _reporter.TellsOutput, (from, bytes) => exec.WriteAsync(from, bytes, CancellationToken.None), (program, ended) =>
                Task.WhenAll(ProgramStreams.FeedAsync(program, exec), SignalAsync(program, exec, ended))));
        }
        catch (Exception refused) when (IsFailure(refused) || refused is OperationCanceledException)
        {
            string why = refused is OperationCanceledException ? "The machine ends." : refused.Message;
            await _reporter.EventAsync(GuestEventNames.Refused, why);
            exit = new ExecExit(null, why);
        }
        await SayAsync(exec, exit);
    }

    private async Task<int> RunAsync(EntryRunner runner, EntryRequest request, bool output, Func<ProgramStream, ReadOnlyMemory<byte>, Task> write, Func<RunningProgram, Task, Task> attend)
    {
        string name = request.Name ?? request.Command[0];
        using RunningProgram program = await runner.StartAsync(request, output, _ending.Token);
        lock (_gate)
        {
            _running.Add(program);
            if (_ending.IsCancellationRequested) Children.Signal(program, ProcessCalls.Kill);
        }
        try
        {
            await _reporter.EventAsync(GuestEventNames.Started, $"Started '{name}'.", ("entry", name));
            Task attending = attend(program, program.Ended);
            int code = await ProgramStreams.PassAsync(program, write);
            await _reporter.EventAsync(GuestEventNames.Ended, $"'{name}' ended with exit code {code}.", ("entry", name), ("code", code.ToString(CultureInfo.InvariantCulture)));
            return code;
        }
        finally
        {
            lock (_gate) _running.Remove(program);
        }
    }

    private static async Task SignalAsync(RunningProgram program, GuestExec exec, Task ended)
    {
        await foreach (int signal in exec.Signals.ReadAllAsync())
        {
            if (ended.IsCompleted) return;
            Children.Signal(program, signal);
        }
    }

    // What was asked for first, then the machine's own program; whatever is left when time is up, at once.
    private async Task EndProgramsAsync(TimeSpan grace)
    {
        RunningProgram[] running;
        lock (_gate) running = [.. _running];
        foreach (RunningProgram program in running.Reverse())
            Children.Signal(program, ProcessCalls.Terminate);
        Task all = Task.WhenAll(running.Select(program => program.Ended));
        await Task.WhenAny(all, Task.Delay(grace, system.Time));
        foreach (RunningProgram program in running)
            Children.Signal(program, ProcessCalls.Kill);
        await all;
        Task[] execs;
        lock (_gate) execs = [.. _execs];
        await Task.WhenAll(execs);
    }

    private static async Task SayAsync(GuestExec exec, ExecExit exit)
    {
        try
        {
            await exec.ExitAsync(exit, CancellationToken.None);
        }
        catch (ImageException gone) when (gone.Error == ImageError.MachineEnded)
        {
            return; // the host went away
        }
    }
}
