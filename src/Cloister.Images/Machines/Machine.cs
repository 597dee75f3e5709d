using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.Versioning;
using Cloister.Images.Channel;

namespace Cloister.Images.Machines;

/// <summary>
/// A running machine and its supervisor: this process owns QEMU and the TPM, which end with it, also when it is killed. Other processes of the
/// same user reach it through the socket in its folder (<see cref="RemoteMachine"/>).
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class Machine : ISupervised, IAsyncDisposable
{
    private static readonly TimeSpan QuitTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private readonly MachineOptions _options;
    private readonly MachineFolder _folder;
    private readonly FileStream _held;
    private readonly MachineLog _log;
    private readonly TimeProvider _time;
    private readonly TaskCompletionSource<MachineEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _over = new();
    private readonly Lock _lock = new();
    private MachineRecord _record;
    private MachineProcesses? _processes;
    private HostChannel? _channel;
    private MachineControl? _control;
    private Task? _supervising;
    private Task<MachineEnd>? _stopping;
    private string? _violation;
    private bool _disposed;

    private Machine(MachineOptions options, MachineFolder folder, FileStream held, MachinePlan plan, IProgress<MachineNews>? news, TimeProvider time)
    {
        (_options, _folder, _held, _time) = (options, folder, held, time);
        _log = new MachineLog(folder.Log, time, news);
        _record = new MachineRecord
        {
            Format = 1,
            Image = Path.GetFullPath(options.Image),
            Name = plan.Definition.Name,
            State = MachineStates.Preparing,
            Pid = Environment.ProcessId,
            PidStarted = HostProcess.StartOf(Environment.ProcessId) ?? 0,
            HostBoot = HostProcess.Boot(),
            Since = time.GetUtcNow(),
            Debug = plan.Definition.Debug,
        };
    }

    /// <summary>What its folder says now.</summary>
    public MachineRecord Record
    {
        get
        {
            lock (_lock)
                return _record;
        }
    }

    /// <summary>It can be talked to; faulted if it ends before.</summary>
    public Task<GuestReady> Ready => _channel!.Ready;

    /// <summary>How it ended, when it did.</summary>
    public Task<MachineEnd> Ended => _ended.Task;

    /// <summary>Starts a machine; returns when its firmware runs.</summary>
    /// <param name="options">How.</param>
    /// <param name="news">Told all that the log is told.</param>
    /// <param name="time">The clock of the log and of certificates.</param>
    /// <param name="cancellation">Gives up starting; a machine that was returned is not ended by it.</param>
    /// <exception cref="ImageException">It cannot be started; nothing is left running.</exception>
    public static async Task<Machine> StartAsync(MachineOptions options, IProgress<MachineNews>? news, TimeProvider time, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        var folder = new MachineFolder(options.Folder);
        HostTools tools = HostTools.Find();
        MachinePlan plan = MachinePlan.Read(options, folder);
        HostMemory.Check(plan.Definition.Machine.Memory, HostMemory.Available());
        HostPorts.Check(plan.Ports);
        Machine machine;
        FileStream held = folder.Take();
        try
        {
            machine = new Machine(options, folder, held, plan, news, time);
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            await held.DisposeAsync();
            throw new ImageException(ImageError.MachineFolderInvalid, $"'{folder.Path}' cannot be written: {unwritable.Message}", unwritable);
        }
        try
        {
            await machine.StartAsync(tools, plan, cancellation);
            return machine;
        }
        catch (Exception failed)
        {
            await machine.EndAsync(new MachineEnd(null, failed is OperationCanceledException ? "stopped while it was started" : failed.Message, false));
            await machine.DisposeAsync();
            if (failed is IOException or UnauthorizedAccessException)
                throw new ImageException(ImageError.MachineFolderInvalid, $"The machine at '{folder.Path}' cannot be started: {failed.Message}", failed);
            throw;
        }
    }

    /// <summary>Starts a program inside, when the machine is ready; whether it may is the machine's to say.</summary>
    /// <exception cref="ImageException">The machine ended.</exception>
    public async Task<HostExec> ExecAsync(ExecRequest request, CancellationToken cancellation)
    {
        await Ready.WaitAsync(cancellation);
        return await _channel!.StartAsync(request, cancellation);
    }

    /// <summary>Asks the machine to end: programs and disks first, then its power; what does not end in time is ended.</summary>
    public Task<MachineEnd> StopAsync()
    {
        lock (_lock)
            return _stopping ??= Task.Run(StopOnceAsync);
    }

    /// <summary>Ends the machine at once, as if its power failed, unless it ended.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
            return;
        if (_supervising is not null)
        {
            await _processes!.KillAsync();
            await _supervising;
        }
        if (_processes is not null)
            await _processes.DisposeAsync();
        if (_control is not null)
            await _control.DisposeAsync();
        _over.Dispose();
        _log.Dispose();
        await _held.DisposeAsync();
    }

    private async Task StartAsync(HostTools tools, MachinePlan plan, CancellationToken cancellation)
    {
        State(MachineStates.Preparing, $"image '{plan.Definition.Name}'{(plan.Definition.Debug ? ", DEBUG: its operator may look inside" : "")}");
        await MakeTpmAsync(tools, cancellation);
        (Accelerator accelerator, string why) = await AcceleratorProbe.ChooseAsync(_options.Accelerator, tools, MachineFolder.FindStateFolder() ?? _folder.Path, cancellation);
        MachineDisks.Prepare(plan, _options, _folder);
        File.Copy(tools.Variables, _folder.Variables, overwrite: true); // what an earlier start left in them is not measured into this one
        Update(record => record with { TpmRoot = Path.Combine(_folder.Tpm, TpmAuthority.RootName), TpmCertificate = Path.Combine(_folder.Tpm, TpmAuthority.CertificateName), Accelerator = accelerator == Accelerator.Kvm ? "kvm" : "tcg" });

        _processes = await MachineProcesses.StartAsync(tools, plan, _options, _folder, accelerator, cancellation);
        _channel = new HostChannel(_processes.Agent, new Listener(this));
        Task reading = ReadAsync(_channel);
        ImmutableArray<RecordedPort> ports;
        try
        {
            await _channel.SendSettingsAsync(plan.Settings, cancellation);
            ports = await HostPorts.ChosenAsync(_processes.Qmp, plan.Ports, cancellation);
        }
        catch (ImageException gone) when (gone.Error == ImageError.MachineEnded)
        {
            throw await _processes.WhyNotStartedAsync(gone);
        }
        Update(record => record with { Ports = ports });
        State(MachineStates.Firmware, $"{plan.Definition.Machine.Memory} MiB, {plan.Definition.Machine.Cpus} processor{(plan.Definition.Machine.Cpus == 1 ? "" : "s")}, {why}{string.Concat(ports.Select(port => $", {port.Address}:{port.Host} leads to port {port.Guest}"))}");
        _control = new MachineControl(this, _folder.Control);
        _supervising = Task.WhenAll(SuperviseAsync(_processes, reading), WatchBootAsync(_processes), AnnounceReadyAsync());
    }

    private async Task MakeTpmAsync(HostTools tools, CancellationToken cancellation)
    {
        bool made = Directory.Exists(_folder.Tpm);
        if (made && _options.Authority is null)
            return; // whoever certified it once did so for good
        TpmAuthority authority = await TpmAuthority.OpenAsync(_options.Authority ?? TpmAuthority.DefaultFolder(), _time, cancellation);
        if (!made)
            await authority.MakeTpmAsync(tools, _folder.Tpm, cancellation);
        else if (!File.ReadAllBytes(authority.Root).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(_folder.Tpm, TpmAuthority.RootName))))
            throw new ImageException(ImageError.MachineOptionInvalid, $"The TPM of the machine at '{_folder.Path}' is certified by another authority than '{authority.Folder}'. Give the machine another folder, or no authority.");
    }

    private async Task SuperviseAsync(MachineProcesses processes, Task reading)
    {
        int code = await processes.EndAsync();
        await reading;
        await _over.CancelAsync();
        await EndAsync(EndOf(processes, code));
    }

    private async Task EndAsync(MachineEnd end)
    {
        if (_ended.Task.IsCompleted)
            return;
        _log.EndLines();
        await _over.CancelAsync();
        foreach (string socket in (string[])[_folder.Channel, _folder.Qmp, _folder.TpmSocket, _folder.Control])
            File.Delete(socket);
        Update(record => record with { Code = end.Code, Reason = end.Reason });
        State(MachineStates.Ended, end.Reason, end.Code is { } code ? ImmutableSortedDictionary<string, string>.Empty.Add("code", code.ToString(CultureInfo.InvariantCulture)) : null);
        _ended.TrySetResult(end);
    }

    private MachineEnd EndOf(MachineProcesses processes, int code)
    {
        if (_channel!.Stopped is { IsCompletedSuccessfully: true, Result: var stopped })
            return new MachineEnd(stopped.Code, stopped.Reason ?? "the machine ended", stopped.Code is not null || stopped.Reason is null);
        if (_violation is { } violation)
            return new MachineEnd(null, violation, false);
        if (_stopping is not null)
            return new MachineEnd(null, _channel.Ready.IsCompletedSuccessfully ? "stopped; the machine did not answer in time and was ended" : "stopped before it was ready", !_channel.Ready.IsCompletedSuccessfully);
        string place = _channel.Ready.IsCompletedSuccessfully ? "" : " before it was ready";
        return processes.Qmp.Shutdown switch
        {
            "guest-reset" or "guest-panic" => new MachineEnd(null, $"the machine's kernel stopped{place}: it panics when its root, its memory or its agent is not what was measured", false),
            "guest-shutdown" => new MachineEnd(null, $"the machine switched itself off{place} without a word", false),
            _ => new MachineEnd(null, $"QEMU ended{place} with code {code}{(processes.Words.Length > 0 ? ": " + processes.Words : "")}", false),
        };
    }

    private async Task ReadAsync(HostChannel channel)
    {
        try
        {
            await channel.RunAsync(CancellationToken.None);
        }
        catch (ImageException violation)
        {
            _violation = violation.Message;
            await _processes!.KillAsync();
        }
    }

    private async Task AnnounceReadyAsync()
    {
        try
        {
            GuestReady ready = await Ready;
            State(MachineStates.Ready, $"image '{ready.Image}' says that it is ready{(ready.Entries.IsEmpty ? "" : "; it has " + string.Join(", ", ready.Entries))}");
        }
        catch (ImageException)
        {
            return; // it ended before; how is told elsewhere
        }
    }

    // The root is read by megabytes once the kernel mounts it; firmware looks only for a partition table.
    private async Task WatchBootAsync(MachineProcesses processes)
    {
        const long Mounted = 512 << 10;
        try
        {
            while (!Ready.IsCompleted)
            {
                if (await processes.RootBytesReadAsync(_over.Token) > Mounted)
                {
                    if (!Ready.IsCompleted)
                        State(MachineStates.Kernel, "the kernel reads its root");
                    return;
                }
                await Task.WhenAny(Ready, Task.Delay(Look, _over.Token));
                _over.Token.ThrowIfCancellationRequested();
            }
        }
        catch (OperationCanceledException)
        {
            return;
        }
    }

    private async Task<MachineEnd> StopOnceAsync()
    {
        if (!_ended.Task.IsCompleted)
        {
            State(MachineStates.Stopping, "asked to end");
            try
            {
                if (Ready.IsCompletedSuccessfully)
                {
                    await _channel!.SendStopAsync(new MachineStop((int)Math.Ceiling(_options.StopTime.TotalSeconds / 2)), CancellationToken.None);
                    await Task.WhenAny(_ended.Task, Task.Delay(_options.StopTime));
                }
            }
            catch (ImageException)
            {
                // The channel is gone: so is the machine, or it is ended below.
            }
            if (!_ended.Task.IsCompleted)
            {
                await _processes!.QuitAsync(QuitTime);
                await _processes.KillAsync();
            }
        }
        return await _ended.Task;
    }

    private void State(string state, string text, ImmutableSortedDictionary<string, string>? fields = null)
    {
        Update(record => record with { State = record.State is MachineStates.Stopping && state is not MachineStates.Ended ? record.State : state });
        _log.Say(MachineNewsKind.Host, state, text, fields);
    }

    private void Update(Func<MachineRecord, MachineRecord> change)
    {
        lock (_lock)
            _folder.Write(_record = change(_record));
    }

    private sealed class Listener(Machine machine) : IMachineListener
    {
        public void Happened(GuestEvent happened) => machine._log.Say(MachineNewsKind.Event, MachineStates.IsOne(happened.Name) ? "machine-" + happened.Name : happened.Name, happened.Message, happened.Fields.IsEmpty ? null : happened.Fields);

        public void Wrote(ProgramStream from, ReadOnlyMemory<byte> bytes) => machine._log.Wrote(from, bytes.Span);
    }
}
