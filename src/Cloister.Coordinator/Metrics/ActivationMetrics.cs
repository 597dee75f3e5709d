namespace Cloister.Coordinator.Metrics;

/// <summary>
/// Counts activations by type and UUID. A UUID gets a series of its own only by a successful activation, and only so many do: what a stranger sends
/// makes no series. Types that the manifest does not define, and all other UUIDs, are counted as <c>other</c>.
/// </summary>
internal sealed class ActivationMetrics(CoordinatorMetrics metrics, ActivationEvents events)
{
    internal const int MaxUuids = 1000;
    private const string Other = "other";

    private readonly Lock _lock = new();
    private readonly HashSet<(string Type, Guid Uuid)> _known = [];

    public void Succeeded(string type, Guid uuid, ReadOnlyMemory<byte> quote)
    {
        KeyValuePair<string, object?>[] labels = Labels(type, Remember(type, uuid) ? $"{uuid:D}" : Other);
        metrics.Activations.Add(1, labels);
        metrics.ActivationSuccesses.Add(1, labels);
        events.Add(type, uuid, quote);
    }

    /// <param name="type">Null where the manifest does not define it.</param>
    /// <param name="uuid">Null where it cannot be read.</param>
    public void Refused(string? type, Guid? uuid)
    {
        bool known;
        lock (_lock)
            known = type is not null && uuid is { } given && _known.Contains((type, given));
        metrics.Activations.Add(1, Labels(type ?? Other, known ? $"{uuid:D}" : Other));
    }

    private bool Remember(string type, Guid uuid)
    {
        lock (_lock)
            return _known.Contains((type, uuid)) || (_known.Count < MaxUuids && _known.Add((type, uuid)));
    }

    private static KeyValuePair<string, object?>[] Labels(string type, string uuid) => [new("type", type), new("uuid", uuid)];
}
