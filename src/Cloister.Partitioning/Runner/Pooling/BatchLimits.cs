using Cloister.Partitioning.Runner.Wire;

namespace Cloister.Partitioning.Runner.Pooling;

/// <summary>How much one batch may hold on a connection: what the accelerator takes, and what a frame can.</summary>
internal sealed class BatchLimits
{
    private const int HeadRoom = 64 << 10;

    private readonly BackNet _backNet;

    public BatchLimits(PoolCore core, Greeting limits)
    {
        _backNet = core.BackNet;
        Depth = Math.Min(core.Options.Depth, limits.Depth);
        MaximumBytes = Math.Min(limits.MaximumRunBytes, FrameHeader.MaximumTensorFrame - HeadRoom);
        MaximumRows = _backNet.CanJoin ? core.Options.MaximumBatch : 1;
        while (MaximumRows > 1 && !Fits(MaximumRows)) MaximumRows /= 2;
    }

    /// <summary>Batches that may be unanswered at once.</summary>
    public int Depth { get; }

    /// <summary>Bytes of a batch's tensors, in or out.</summary>
    public long MaximumBytes { get; }

    /// <summary>Items that waiting requests are joined into.</summary>
    public int MaximumRows { get; }

    /// <summary>Whether so many items may go in one batch.</summary>
    public bool Fits(int rows) => _backNet.InputBytes(rows) <= MaximumBytes && _backNet.OutputBytes(rows) <= MaximumBytes;
}
