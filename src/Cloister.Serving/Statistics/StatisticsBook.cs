using System.Collections.Concurrent;
using Cloister.Serving.Surfaces;

namespace Cloister.Serving.Statistics;

/// <summary>The statistics of every version that was asked, since the server started: a version that is loaded again goes on.</summary>
internal sealed class StatisticsBook(TimeProvider time) : IServingObserver
{
    private readonly ConcurrentDictionary<(string Model, long Version), ModelStatistics> _versions = new();

    /// <summary>The statistics of a version; all zero if it was never asked.</summary>
    public ModelStatistics Of(string model, long version) => _versions.GetOrAdd((model, version), static _ => new ModelStatistics());

    /// <inheritdoc/>
    public void Ended(RequestRecord request, TimeSpan total)
    {
        // Without a version no model was asked: names that strangers make up are not counted.
        if (!request.IsPrediction || request.Model is not { } model || request.Version == 0) return;
        ModelStatistics statistics = Of(model, request.Version);
        if (request.Refusal is null) statistics.Succeeded(request.Items, new PredictionTimes(total, request.Read, request.Queued, request.Computed), time.GetUtcNow());
        else statistics.Failed(total, time.GetUtcNow());
    }
}
