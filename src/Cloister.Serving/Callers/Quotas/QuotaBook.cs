using System.Collections.Concurrent;
using Cloister.Workload;

namespace Cloister.Serving.Callers.Quotas;

/// <summary>The meters of all callers, kept by name across changes of rights.</summary>
internal sealed class QuotaBook(TimeProvider time)
{
    private readonly ConcurrentDictionary<(string? Caller, string Model), QuotaMeter> _meters = new();

    /// <summary>The meters of a caller by model, "" for all others; <paramref name="caller"/> null is everybody without a name.</summary>
    public IReadOnlyDictionary<string, QuotaMeter> Of(string? caller, IReadOnlyList<LimitsGrant> limits)
    {
        var meters = new Dictionary<string, QuotaMeter>(StringComparer.Ordinal);
        foreach (LimitsGrant limit in limits)
        {
            QuotaMeter meter = _meters.GetOrAdd((caller, limit.Model), _ => new QuotaMeter(caller is null ? "all who call without a name together" : $"caller '{caller}'", limit, time));
            meter.Change(limit);
            meters.Add(limit.Model, meter);
        }
        return meters;
    }

    /// <summary>Forgets the meters of callers that are there no more, and counts nothing for them any longer.</summary>
    public void Keep(IReadOnlySet<string> callers)
    {
        foreach ((string? Caller, string Model) key in _meters.Keys)
            if (key.Caller is not null && !callers.Contains(key.Caller)) _meters.TryRemove(key, out _);
    }
}
