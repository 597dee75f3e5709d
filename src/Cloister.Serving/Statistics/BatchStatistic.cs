namespace Cloister.Serving.Statistics;

/// <summary>What requests of one number of items took.</summary>
internal sealed class BatchStatistic
{
    public DurationStatistic ComputeInput { get; } = new();

    public DurationStatistic ComputeInfer { get; } = new();

    public DurationStatistic ComputeOutput { get; } = new();
}
