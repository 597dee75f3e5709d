namespace Cloister.Serving.Engines;

/// <summary>What an engine gives for one request.</summary>
/// <param name="Outputs">One tensor an output, in the order of <see cref="IModelEngine.Outputs"/>; the receiver disposes them.</param>
/// <param name="Queued">How long the request waited for a thread or for its batch.</param>
/// <param name="Computed">How long the model ran.</param>
public readonly record struct Prediction(Tensor[] Outputs, TimeSpan Queued, TimeSpan Computed) : IDisposable
{
    /// <summary>How many rows were answered, where only the engine can tell; null where the inputs say it.</summary>
    public long? Rows { get; init; }

    /// <summary>Gives the outputs' memory back.</summary>
    public void Dispose()
    {
        foreach (Tensor output in Outputs ?? []) output.Dispose();
    }
}
