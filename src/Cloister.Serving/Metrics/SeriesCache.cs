using System.Collections.Concurrent;
using Cloister.Serving.Surfaces;

namespace Cloister.Serving.Metrics;

/// <summary>The cells that requests of one kind count in, found at once: a look-up a request instead of one a metric.</summary>
/// <typeparam name="TCells">The cells.</typeparam>
internal sealed class SeriesCache<TCells>(Func<SeriesKey, TCells> create)
{
    // As many as a family keeps.
    private const int Most = 4096;

    private readonly ConcurrentDictionary<SeriesKey, TCells> _cells = new();

    public TCells Of(RequestRecord request)
    {
        var key = new SeriesKey(request.Surface, request.Method, request.Model ?? "", request.Version);
        if (_cells.TryGetValue(key, out TCells? cells)) return cells;
        return _cells.Count < Most ? _cells.GetOrAdd(key, create) : create(key);
    }
}

/// <summary>What tells requests apart in metrics.</summary>
internal readonly record struct SeriesKey(string Surface, string Method, string Model, long Version)
{
    // Surfaces and methods are few: their lengths tell most of them apart, and texts are compared anyway.
    public override int GetHashCode() => HashCode.Combine(Surface.Length, Method.Length, Model, Version);

    public bool Equals(SeriesKey other) => Version == other.Version && Model == other.Model && Method == other.Method && Surface == other.Surface;
}
