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

    public void Dispose() => Interlocked.Exchange(ref _meter, null)?.Leave();
}
