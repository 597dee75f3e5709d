using Cloister.Serving.Engines;
using Cloister.Serving.Execution;

namespace Cloister.Serving.Batching;

/// <summary>One request that waits for a batch, or takes part in one.</summary>
internal sealed class BatchMember(BatchQueue queue, IReadOnlyList<Tensor> inputs, int items, TimeProvider time) : Waiter<Prediction>(time)
{
    public IReadOnlyList<Tensor> Inputs { get; } = inputs;

    /// <summary>How many items it holds.</summary>
    public int Items { get; } = items;

    /// <summary>Its place in the queue; null once a batch has taken it. Guarded by the queue.</summary>
    internal LinkedListNode<BatchMember>? Node { get; set; }

    /// <summary>The batch that took it. Guarded by the queue.</summary>
    internal Batch? Batch { get; set; }

    protected override bool TryWithdraw() => queue.TryWithdraw(this);

    protected override void Interrupt() => queue.BatchOf(this)?.Leave(this);
}
