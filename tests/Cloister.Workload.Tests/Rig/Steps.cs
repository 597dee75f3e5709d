namespace Cloister.Workload.Tests;

/// <summary>Keeps an activation's steps, in order, and acts on them where they are reported.</summary>
internal sealed class Steps(Action<WorkloadState>? act = null) : IProgress<WorkloadState>
{
    private readonly List<WorkloadState> _states = [];

    public IReadOnlyList<WorkloadState> All
    {
        get
        {
            lock (_states)
                return [.. _states];
        }
    }

    public IEnumerable<WorkloadPhase> Phases => All.Select(s => s.Phase);

    public void Report(WorkloadState value)
    {
        lock (_states)
            _states.Add(value);
        act?.Invoke(value);
    }
}
