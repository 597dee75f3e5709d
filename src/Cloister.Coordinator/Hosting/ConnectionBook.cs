using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Cloister.Coordinator;

/// <summary>
/// The connections of one port. When all places are taken, a new one takes the place of the oldest that has no request running:
/// whoever merely holds connections open keeps nobody out. Only if all of them work is the new one turned away.
/// </summary>
internal sealed class ConnectionBook(int places)
{
    private const int Reserved = 1000, Ports = 2;

    private static readonly object s_place = new();

    private readonly Lock _lock = new();
    private readonly LinkedList<Place> _byAge = new();

    /// <summary>Places for one port: as many as asked for, and as the process may open files for, with some left for the state.</summary>
    public static int Fitting(int wanted, ulong? openFiles) => openFiles is not { } limit || limit >= (ulong)wanted * Ports + Reserved
        ? wanted
        : (int)Math.Max(1, (limit - Math.Min(limit, Reserved)) / Ports);

    /// <summary>Runs one connection, from its first byte to its end.</summary>
    public async Task RunAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var place = new LinkedListNode<Place>(new Place(connection));
        if (!TryEnter(place, out ConnectionContext? displaced))
        {
            connection.Abort(new ConnectionAbortedException("All connections that are allowed have requests running."));
            return;
        }
        displaced?.Abort(new ConnectionAbortedException("Idle, and its place was needed."));
        connection.Items[s_place] = place.Value;
        try
        {
            await next(connection);
        }
        finally
        {
            Leave(place);
        }
    }

    /// <summary>Runs one request of a connection, which is not displaced meanwhile.</summary>
    public static async Task RunAsync(HttpContext http, RequestDelegate next)
    {
        Place? place = http.Features.Get<IConnectionItemsFeature>()?.Items.TryGetValue(s_place, out object? found) is true ? (Place)found! : null;
        place?.Begin();
        try
        {
            await next(http);
        }
        finally
        {
            place?.End();
        }
    }

    private bool TryEnter(LinkedListNode<Place> place, out ConnectionContext? displaced)
    {
        displaced = null;
        lock (_lock)
        {
            if (_byAge.Count >= places)
            {
                LinkedListNode<Place>? oldest = _byAge.First;
                while (oldest is { Value.Busy: true })
                    oldest = oldest.Next;
                if (oldest is null)
                    return false;
                _byAge.Remove(oldest);
                displaced = oldest.Value.Connection;
            }
            _byAge.AddLast(place);
            return true;
        }
    }

    private void Leave(LinkedListNode<Place> place)
    {
        lock (_lock)
        {
            if (place.List is not null)
                _byAge.Remove(place);
        }
    }

    private sealed class Place(ConnectionContext connection)
    {
        private int _running;

        public ConnectionContext Connection => connection;

        public bool Busy => Volatile.Read(ref _running) > 0;

        public void Begin() => Interlocked.Increment(ref _running);

        public void End() => Interlocked.Decrement(ref _running);
    }
}
