using Cloister.Images;
using Cloister.Images.Volumes;

namespace Cloister.Agent.Disks;

/// <summary>One open disk of the machine. One commit at a time.</summary>
internal sealed class OpenDisk(DataDisk definition, SealedDisk disk, string folder, Func<CancellationToken, Task<IDisposable>> pause) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);

    public DataDisk Definition => definition;

    public ulong Version => disk.Current.Version;

    public bool Lost => disk.Lost;

    /// <summary>Commits the folder as it is at one moment, and gives back the version that counts then.</summary>
    /// <param name="programsRun">Whether programs have to be held meanwhile.</param>
    /// <param name="cancellation">Ends it; what was asked of the coordinator is settled by the next commit.</param>
    /// <exception cref="ImageException">Nothing was committed, or it is not known.</exception>
    public async Task<ulong> CommitAsync(bool programsRun, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            await disk.PublishAsync(cancellation); // what the commit before left undecided
            using (programsRun ? await pause(cancellation) : null)
                await disk.WriteAsync(folder, cancellation);
            await disk.PublishAsync(cancellation);
            return disk.Current.Version;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        disk.Dispose();
        _turn.Dispose();
    }
}
