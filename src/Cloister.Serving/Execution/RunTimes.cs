namespace Cloister.Serving.Execution;

/// <summary>How long a piece of work took.</summary>
/// <param name="Queued">Until a thread took it.</param>
/// <param name="Computed">Until it was done.</param>
internal readonly record struct RunTimes(TimeSpan Queued, TimeSpan Computed);
