namespace Cloister.Serving.Engines;

/// <summary>How busy an engine is at this moment.</summary>
/// <param name="Waiting">What waits: requests, or items where requests are joined into batches.</param>
/// <param name="Limit">How many of them may wait.</param>
/// <param name="Running">Runs under way.</param>
public readonly record struct EngineLoad(long Waiting, long Limit, int Running);
