using Cloister.Images;
using Cloister.Images.Volumes;
using Cloister.Workload;

namespace Cloister.Agent.Disks;

/// <summary>The coordinator that activated the machine, as what remembers which commit of a disk counts.</summary>
internal sealed class CoordinatorCounter(DiskCommits commits, string name, bool machine, TimeProvider time) : IDiskCounter
{
    private static readonly TimeSpan s_firstDelay = TimeSpan.FromSeconds(1), s_longestDelay = TimeSpan.FromSeconds(15);

    // Before anything was opened a coordinator that is away can be waited for.
    public async Task<DiskState> ReadAsync(CancellationToken cancellation)
    {
        for (TimeSpan delay = s_firstDelay; ; delay = delay * 2 < s_longestDelay ? delay * 2 : s_longestDelay)
        {
            try
            {
                return StateOf(await commits.ReadAsync(name, machine, cancellation));
            }
            catch (WorkloadException failed) when (failed.Error != WorkloadError.DiskUnanswered)
            {
                throw Failed(failed);
            }
            catch (WorkloadException)
            {
                await Task.Delay(delay, time, cancellation);
            }
        }
    }

    public async Task<DiskState> RaiseAsync(DiskState expected, DiskState next, CancellationToken cancellation)
    {
        try
        {
            return StateOf(await commits.RaiseAsync(name, machine, CommitOf(expected), CommitOf(next), cancellation));
        }
        catch (WorkloadException failed)
        {
            throw Failed(failed);
        }
    }

    private static DiskState StateOf(DiskCommit commit) => new(commit.Version, commit.Digest);

    private static DiskCommit CommitOf(DiskState state) => new(state.Version, state.Digest);

    private static ImageException Failed(WorkloadException failed) => new(ImageError.DiskCounter, failed.Message, failed);
}
