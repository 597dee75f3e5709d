using Cloister.Workload;

namespace Cloister.Serving.Callers.Quotas;

/// <summary>
/// Measures one budget: requests and their sizes by token buckets, requests under way by counting. It outlives a change of its limits, so
/// that a new manifest neither forgets nor doubles what is under way.
/// </summary>
internal sealed class QuotaMeter
{
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(1);

    private readonly string _whose;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private LimitsGrant _limits;
    private TokenBucket _requests, _bytes, _elements, _rows;
    private long _refilled;
    private int _inside;

    /// <param name="whose">Whose budget it is, for messages.</param>
    /// <param name="limits">The limits.</param>
    /// <param name="time">The clock.</param>
    public QuotaMeter(string whose, LimitsGrant limits, TimeProvider time)
    {
        (_whose, _limits, _time, _refilled) = (whose, limits, time, time.GetTimestamp());
        Fill(limits);
    }

    /// <summary>Requests under way.</summary>
    public int Inside => Volatile.Read(ref _inside);

    /// <summary>Whether rows of encrypted models are limited.</summary>
    public bool LimitsRows
    {
        get
        {
            lock (_lock) return _limits.Rows > 0;
        }
    }

    /// <summary>Measures by other limits from now on; full budgets if they differ.</summary>
    public void Change(LimitsGrant limits)
    {
        lock (_lock)
        {
            if (limits == _limits) return;
            _limits = limits;
            _refilled = _time.GetTimestamp();
            Fill(limits);
        }
    }

    /// <summary>Admits a request; <see cref="Leave"/> ends it.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.QuotaExceeded"/>.</exception>
    public void Enter()
    {
        lock (_lock)
        {
            Refill();
            if (_limits.Concurrent > 0 && _inside >= _limits.Concurrent)
                throw Exceeded($"{_limits.Concurrent} requests are under way, which is all that {_whose} may have at once", s_soon);
            if (_limits.Requests > 0 && !_requests.Has(1))
                throw Exceeded($"{_whose} may send {_limits.Requests} requests in {_limits.Interval.TotalSeconds:0} s", _requests.Until(1));
            if (_limits.Requests > 0) _requests.Take(1);
            _inside++;
        }
    }

    public void Leave()
    {
        lock (_lock) _inside--;
    }

    /// <summary>Takes sizes out of the budgets.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.QuotaExceeded"/>: nothing was taken.</exception>
    public void Charge(long bytes, long elements)
    {
        lock (_lock)
        {
            Refill();
            Demand(_limits.Bytes, _bytes, bytes, "bytes");
            Demand(_limits.Elements, _elements, elements, "elements");
            if (_limits.Bytes > 0) _bytes.Take(bytes);
            if (_limits.Elements > 0) _elements.Take(elements);
        }
    }

    /// <summary>Takes rows that an encrypted model is to answer out of the budget, before they are computed.</summary>
    /// <param name="rows">All rows of the request.</param>
    /// <param name="paid">How many of them were taken already.</param>
    /// <exception cref="ServingException"><see cref="ServingError.QuotaExceeded"/>: nothing was taken.</exception>
    public void ChargeRows(long rows, long paid)
    {
        lock (_lock)
        {
            Refill();
            DemandRows(rows, paid);
            if (_limits.Rows > 0) _rows.Take(rows - paid);
        }
    }

    /// <summary>Refuses where not a single row is left, and takes none.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.QuotaExceeded"/>.</exception>
    public void DemandRow()
    {
        lock (_lock)
        {
            Refill();
            DemandRows(1, 0);
        }
    }

    private void DemandRows(long rows, long paid)
    {
        if (_limits.Rows == 0 || _rows.Has(rows - paid)) return;
        throw Exceeded(
            rows > _limits.Rows
                ? $"the query has {rows} rows, and {_whose} may ask {_limits.Rows} in {_limits.Interval.TotalSeconds:0} s: send fewer at once"
                : $"{_whose} may ask {_limits.Rows} rows in {_limits.Interval.TotalSeconds:0} s", rows > _limits.Rows ? null : _rows.Until(rows - paid));
    }

    private void Demand(long limit, in TokenBucket bucket, long amount, string what)
    {
        if (limit == 0 || bucket.Has(amount)) return;
        throw Exceeded(
            amount > limit
                ? $"the inputs have {amount} {what}, and {_whose} may send {limit} in {_limits.Interval.TotalSeconds:0} s: send fewer at once"
                : $"{_whose} may send {limit} {what} of inputs in {_limits.Interval.TotalSeconds:0} s", bucket.Until(amount));
    }

    private void Refill()
    {
        long now = _time.GetTimestamp();
        TimeSpan passed = _time.GetElapsedTime(_refilled, now);
        if (passed <= TimeSpan.Zero) return;
        _refilled = now;
        _requests.Refill(passed);
        _bytes.Refill(passed);
        _elements.Refill(passed);
        _rows.Refill(passed);
    }

    private void Fill(LimitsGrant limits)
    {
        double seconds = limits.Interval.TotalSeconds;
        _requests = new TokenBucket(limits.Burst > 0 ? limits.Burst : limits.Requests, limits.Requests / seconds);
        _bytes = new TokenBucket(limits.Bytes, limits.Bytes / seconds);
        _elements = new TokenBucket(limits.Elements, limits.Elements / seconds);
        _rows = new TokenBucket(limits.Rows, limits.Rows / seconds);
    }

    private static ServingException Exceeded(string why, TimeSpan? wait) =>
        new(ServingError.QuotaExceeded, $"The quota is used up: {why}.") { RetryAfter = wait };
}
