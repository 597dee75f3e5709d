using Cloister.Images;
using Cloister.Images.Volumes;

namespace Cloister.Tests.Volumes;

/// <summary>What the coordinator remembers of one disk.</summary>
internal sealed class MemoryCounter : IDiskCounter
{
    public DiskState State { get; set; } = DiskState.None;

    public int Raises { get; private set; }

    /// <summary>Fails a raise: before it is taken, or only its answer.</summary>
    public CounterFault Fault { get; set; }

    public Task<DiskState> ReadAsync(CancellationToken cancellation) => Task.FromResult(State);

    public Task<DiskState> RaiseAsync(DiskState expected, DiskState next, CancellationToken cancellation)
    {
        Raises++;
        if (Fault == CounterFault.LosesRequests)
            throw new ImageException(ImageError.DiskCounter, "The coordinator is away.");
        if (State == expected)
            State = next;
        if (Fault == CounterFault.LosesAnswers)
            throw new ImageException(ImageError.DiskCounter, "The coordinator's answer is lost.");
        return Task.FromResult(State);
    }
}

internal enum CounterFault
{
    None,
    LosesRequests,
    LosesAnswers,
}
