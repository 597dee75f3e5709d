using Cloister.Workload;

namespace Cloister.Agent.Disks;

/// <summary>The machine's sealed data disks: opened with keys of an activation before a program starts, committed while it runs and before the machine ends.</summary>
internal interface IDataDisks : IDisposable
{
    /// <summary>Fails when what the machine holds can no longer be kept: another machine has committed one of its disks, or its certificate was not renewed. Never ends otherwise.</summary>
    Task Lost { get; }

    /// <summary>Opens the disks, if they are not open yet, with the keys that the activation brings.</summary>
    /// <param name="activator">What activated the machine: the coordinator is asked, and the certificate renewed, through it.</param>
    /// <param name="activation">The activation; its identity is used as long as the disks are open.</param>
    /// <param name="cancellation">Ends the wait for the coordinator.</param>
    /// <exception cref="Cloister.Images.ImageException">A disk is foreign, changed or older than what the coordinator says counts; nothing may start.</exception>
    Task OpenAsync(WorkloadActivator activator, Activation activation, CancellationToken cancellation);

    /// <summary>Commits every disk for the last time; programs have ended. Tells which disks, after waiting for a coordinator that is away.</summary>
    Task<IReadOnlyList<string>> CommitAsync(CancellationToken cancellation);
}

/// <summary>An image without disks.</summary>
internal sealed class NoDisks : IDataDisks
{
    public Task Lost { get; } = Task.Delay(Timeout.Infinite);

    public Task OpenAsync(WorkloadActivator activator, Activation activation, CancellationToken cancellation) => Task.CompletedTask;

    public Task<IReadOnlyList<string>> CommitAsync(CancellationToken cancellation) => Task.FromResult<IReadOnlyList<string>>([]);

    public void Dispose()
    {
    }
}
