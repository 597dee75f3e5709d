namespace Cloister.Collateral;

/// <summary>Gives each request its turn, one an interval, and holds all of them back when the service asks for it.</summary>
internal sealed class RequestPace(TimeSpan interval, TimeSpan patience, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly long _start = time.GetTimestamp();
    private TimeSpan _next, _heldUntil;

    /// <summary>Waits for a turn.</summary>
    /// <exception cref="CollateralException"><see cref="CollateralError.RateLimited"/>: it would be too long a wait. What waits is bounded so.</exception>
    public async Task TurnAsync(Uri address, CancellationToken cancellation)
    {
        while (true)
        {
            TimeSpan wait;
            lock (_lock)
            {
                TimeSpan now = Now, turn = Latest(now, _next, _heldUntil);
                wait = turn - now;
                if (wait > patience) throw new CollateralException(CollateralError.RateLimited, $"{address.Host} takes the next request in {wait.TotalSeconds:0} s, longer than the {patience.TotalSeconds:0} s allowed: try again then, or keep its collateral in a folder.");
                _next = turn + interval;
            }
            if (wait <= TimeSpan.Zero) return;
            await Task.Delay(wait, time, cancellation);
            lock (_lock)
            {
                if (Now >= _heldUntil) return;
            }
        }
    }

    /// <summary>Holds all requests back, those that wait too.</summary>
    public void Hold(TimeSpan duration)
    {
        lock (_lock) _heldUntil = Latest(_heldUntil, Now + duration, default);
    }

    // Monotonic: a clock that is set back must not stop all requests.
    private TimeSpan Now => time.GetElapsedTime(_start);

    private static TimeSpan Latest(TimeSpan a, TimeSpan b, TimeSpan c) => a > b ? a > c ? a : c : b > c ? b : c;
}
