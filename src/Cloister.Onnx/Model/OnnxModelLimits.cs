namespace Cloister.Onnx.Model;

/// <summary>
/// What a reader spends on a model of unknown origin. Besides the objects counted here a reader allocates at most eight bytes
/// for each byte of the file (64-bit integers from one-byte ones); weights in <c>raw_data</c> are not copied.
/// </summary>
public sealed record OnnxModelLimits
{
    /// <summary>Room for any published network; about 300 MB of objects at the very most.</summary>
    public static OnnxModelLimits Default { get; } = new();

    /// <summary>Messages (nodes, attributes, tensors, dimensions, ...) and texts in the whole model.</summary>
    public int MaxMessages { get; init; } = 2_000_000;

    /// <summary>Nesting of messages. The main graph's weights lie at depth 3; each subgraph adds 3.</summary>
    public int MaxDepth { get; init; } = 64;
}
