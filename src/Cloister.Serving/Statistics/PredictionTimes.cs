namespace Cloister.Serving.Statistics;

/// <summary>Where the time of one answered request went.</summary>
/// <param name="Total">From the first look at the request to the end of the answer.</param>
/// <param name="Input">Receiving and reading the inputs.</param>
/// <param name="Queue">Waiting for a thread or a batch.</param>
/// <param name="Infer">The model's own time.</param>
internal readonly record struct PredictionTimes(TimeSpan Total, TimeSpan Input, TimeSpan Queue, TimeSpan Infer)
{
    /// <summary>Writing and sending the outputs: what is left.</summary>
    public TimeSpan Output => TimeSpan.FromTicks(Math.Max(0, (Total - Input - Queue - Infer).Ticks));
}
