namespace Cloister.Serving;

/// <summary>How many predictions run and wait.</summary>
public sealed record ExecutorOptions
{
    /// <summary>Threads that predict; by default one a processor.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>How many requests of one model may wait, where its configuration does not say.</summary>
    public int QueueLimit { get; init; } = 256;
}
