using Cloister.Workload;

namespace Cloister.Agent.Storage;

/// <summary>The machine's sealed data disks: opened with keys of an activation before a program starts, committed before the machine ends.</summary>
internal interface IDataDisks
{
    /// <summary>Opens every disk that is not open yet and whose key the activation brings.</summary>
    /// <exception cref="Cloister.Images.ImageException">A disk is foreign, changed or older than the coordinator's counter says; nothing may start.</exception>
    Task OpenAsync(Activation activation, CancellationToken cancellation);

    /// <summary>Seals what was written; programs have ended. Tells which disks.</summary>
    Task<IReadOnlyList<string>> CommitAsync(CancellationToken cancellation);
}

/// <summary>An image without disks.</summary>
internal sealed class NoDisks : IDataDisks
{
    public Task OpenAsync(Activation activation, CancellationToken cancellation) => Task.CompletedTask;

    public Task<IReadOnlyList<string>> CommitAsync(CancellationToken cancellation) => Task.FromResult<IReadOnlyList<string>>([]);
}
