using Cloister.Serving.Callers.Quotas;

namespace Cloister.Serving.Callers;

/// <summary>
/// What one request was allowed: it lasts as long as the request, whatever becomes of the caller's rights meanwhile, and gives its place
/// back when it is disposed.
/// </summary>
/// <param name="caller">Who calls; null where nobody was named.</param>
/// <param name="meter">Whose budget it uses; null where there is no limit.</param>
internal sealed class CallPermit(Caller? caller, QuotaMeter? meter) : IDisposable
{
    private QuotaMeter? _meter = meter;

    public Caller? Caller { get; } = caller;

    /// <summary>Takes the size of a request's inputs out of the caller's budget.</summary>
    /// <param name="bytes">Bytes of all input tensors.</param>
    /// <param name="elements">Elements of all input tensors.</param>
    /// <exception cref="ServingException"><see cref="ServingError.QuotaExceeded"/>.</exception>
    public void Charge(long bytes, long elements) => Volatile.Read(ref _meter)?.Charge(bytes, elements);

    /// <summary>Takes rows that an encrypted model is to answer out of the caller's budget.</summary>
    /// <param name="rows">All rows of the request.</param>
    /// <param name="paid">How many of them were taken already.</param>
    /// <exception cref="ServingException"><see cref="ServingError.QuotaExceeded"/>.</exception>
    public void ChargeRows(long rows, long paid) => Volatile.Read(ref _meter)?.ChargeRows(rows, paid);

    /// <summary>Refuses where the caller has not a single row of encrypted models left.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.QuotaExceeded"/>.</exception>
    public void DemandRow() => Volatile.Read(ref _meter)?.DemandRow();

    public void Dispose() => Interlocked.Exchange(ref _meter, null)?.Leave();
}
