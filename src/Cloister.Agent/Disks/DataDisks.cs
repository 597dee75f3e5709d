using System.Globalization;
using Cloister.Agent.Control;
using Cloister.Images;
using Cloister.Images.Volumes;
using Cloister.Sealing;
using Cloister.Workload;

namespace Cloister.Agent.Disks;

/// <summary>The disks of a definition, kept sealed on disks of the host, with the coordinator's word on which commit counts.</summary>
internal sealed class DataDisks(ImageDefinition definition, DiskSystem system, Reporter reporter) : IDataDisks
{
    private const int MaxRefusals = 10;

    private static readonly TimeSpan s_firstDelay = TimeSpan.FromSeconds(1), s_longestDelay = TimeSpan.FromSeconds(15);

    private readonly List<OpenDisk> _open = [];
    private readonly List<Task> _running = [];
    private Task _renewal = Task.CompletedTask;
    private readonly CancellationTokenSource _ending = new(), _renewing = new();
    private readonly TaskCompletionSource _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Lost => _lost.Task;

    public async Task OpenAsync(WorkloadActivator activator, Activation activation, CancellationToken cancellation)
    {
        if (_open.Count > 0) return;
        var commits = new DiskCommits(activator, activation);
        var staged = new List<(DataDisk Disk, SealedDisk Sealed, string Folder)>();
        try
        {
            // All of them, or none: no program sees one disk's present beside another's absence.
            foreach (DataDisk disk in definition.Disks)
                staged.Add(await OpenAsync(disk, commits, activation, cancellation));
        }
        catch
        {
            foreach (var (disk, opened, folder) in staged)
            {
                opened.Dispose();
                system.Discard(disk, folder);
            }
            throw;
        }
        foreach (var (disk, opened, _) in staged)
        {
            _open.Add(new OpenDisk(disk, opened, system.Publish(disk), system.Pause));
            await reporter.EventAsync("opened", $"The disk '{disk.Name}' was opened with version {opened.Current.Version}.", ("disk", disk.Name), ("version", Number(opened.Current.Version)));
        }
        if (_open.Count == 0) return;
        _renewal = RenewAsync(new CertificateRenewal(activator, activation, time: system.Time));
        _running.AddRange(_open.Where(disk => disk.Definition.Commit > 0).Select(RepeatAsync));
        if (system.Requests is { } address)
            _running.Add(new CommitRequests(address, _open, Fail).RunAsync(_ending.Token));
    }

    public async Task<IReadOnlyList<string>> CommitAsync(CancellationToken cancellation)
    {
        await _ending.CancelAsync();
        await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var committed = new List<string>();
        foreach (OpenDisk disk in _open)
        {
            if (!disk.Lost && await CommitLastAsync(disk, cancellation)) committed.Add(disk.Definition.Name);
            disk.Dispose();
        }
        _open.Clear();
        await _renewing.CancelAsync();
        await _renewal.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return committed;
    }

    public void Dispose()
    {
        foreach (OpenDisk disk in _open)
            disk.Dispose();
        _ending.Dispose();
        _renewing.Dispose();
    }

    private async Task<(DataDisk, SealedDisk, string)> OpenAsync(DataDisk disk, DiskCommits commits, Activation activation, CancellationToken cancellation)
    {
        bool machine = disk.Scope == DiskScope.Machine;
        var identity = new DiskIdentity(disk.Name, definition.Product, activation.MarbleType, machine ? activation.Uuid : null);
        using SecretBytes key = DiskKeyText.Read(activation.Parameters, disk);
        IBlockDevice device = system.Device(disk);
        string? folder = null;
        try
        {
            folder = system.Stage(disk);
            var counter = new CoordinatorCounter(commits, disk.Name, machine, system.Time);
            return (disk, await SealedDisk.OpenAsync(device, new DiskLayout(disk.Size), identity, key.Memory, counter, folder, cancellation), folder);
        }
        catch
        {
            device.Dispose();
            if (folder is not null) system.Discard(disk, folder);
            throw;
        }
    }

    private async Task RepeatAsync(OpenDisk disk)
    {
        bool told = false;
        while (true)
        {
            await Task.Delay(TimeSpan.FromSeconds(disk.Definition.Commit), system.Time, _ending.Token);
            try
            {
                ulong version = await disk.CommitAsync(programsRun: true, _ending.Token);
                if (told) await reporter.EventAsync("sealed", $"The disk '{disk.Definition.Name}' was committed again: version {version}.", ("disk", disk.Definition.Name));
                told = false;
            }
            catch (ImageException failed)
            {
                Fail(failed);
                if (disk.Lost) return;
                if (!told) await reporter.EventAsync("unsealed", $"The disk '{disk.Definition.Name}' was not committed and is tried again: {failed.Message}", ("disk", disk.Definition.Name));
                told = true;
            }
        }
    }

    // A coordinator that is away is waited for: what is not committed now is gone with the machine. One that refuses is asked as long as a
    // renewal of the certificate may still help: after an update of the manifest it has to come first.
    private async Task<bool> CommitLastAsync(OpenDisk disk, CancellationToken cancellation)
    {
        int refusals = 0;
        for (TimeSpan delay = s_firstDelay; ; delay = delay * 2 < s_longestDelay ? delay * 2 : s_longestDelay)
        {
            try
            {
                await disk.CommitAsync(programsRun: false, cancellation);
                return true;
            }
            catch (ImageException failed)
            {
                await reporter.EventAsync("unsealed", $"The disk '{disk.Definition.Name}' was not committed: {failed.Message}", ("disk", disk.Definition.Name));
                if (failed.Error != ImageError.DiskCounter) return false;
                bool away = failed.InnerException is WorkloadException { Error: WorkloadError.DiskUnanswered };
                if (!away && (++refusals == MaxRefusals || _lost.Task.IsCompleted)) return false;
            }
            await Task.Delay(delay, system.Time, cancellation);
        }
    }

    // Without a certificate nothing can be committed any more.
    private async Task RenewAsync(CertificateRenewal renewal)
    {
        try
        {
            await renewal.RunAsync(_renewing.Token);
        }
        catch (WorkloadException ended)
        {
            _lost.TrySetException(new ImageException(ImageError.DiskCounter, $"The machine's disks can no longer be committed: {ended.Message}", ended));
        }
    }

    private void Fail(ImageException failed)
    {
        if (failed.Error == ImageError.DiskConflict) _lost.TrySetException(failed);
    }

    private static string Number(ulong version) => version.ToString(CultureInfo.InvariantCulture);
}
