using System.Collections.Concurrent;
using Microsoft.Extensions.Primitives;

namespace Cloister.Protocol.Grpc.Health;

/// <summary>A health source that is told: services and their status in a table.</summary>
#pragma warning disable CA1001 // A token source without a timer holds nothing to release.
public sealed class GrpcHealthTable : IGrpcHealthSource
#pragma warning restore CA1001
{
    private readonly ConcurrentDictionary<string, GrpcServingStatus> _services = new(StringComparer.Ordinal);
    private CancellationTokenSource _changed = new();

    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, GrpcServingStatus>> Services => _services;

    /// <inheritdoc/>
    public GrpcServingStatus? Find(string service) => _services.TryGetValue(service, out GrpcServingStatus status) ? status : null;

    /// <inheritdoc/>
    public IChangeToken Changed() => new CancellationChangeToken(Volatile.Read(ref _changed).Token);

    /// <summary>Sets a service's status; the empty name is the server as a whole.</summary>
    public void Set(string service, GrpcServingStatus status)
    {
        ArgumentNullException.ThrowIfNull(service);
        _services[service] = status;
        Announce();
    }

    /// <summary>Takes a service out.</summary>
    public void Remove(string service)
    {
        if (_services.TryRemove(service, out _)) Announce();
    }

    private void Announce() => Interlocked.Exchange(ref _changed, new CancellationTokenSource()).Cancel();
}
