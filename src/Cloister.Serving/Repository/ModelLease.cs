using Cloister.Serving.Callers;
using Cloister.Serving.Engines;

namespace Cloister.Serving.Repository;

/// <summary>One request's hold on a version of a model: the version is not released before it is disposed.</summary>
internal sealed class ModelLease : IQueryAccount, IDisposable
{
    private readonly CallPermit? _permit;
    private LoadedVersion? _version;

    /// <summary>Takes over a hold on the version.</summary>
    /// <param name="version">Held for this lease already.</param>
    /// <param name="permit">What the caller was allowed and gives back with the request; null if nothing.</param>
    public ModelLease(LoadedVersion version, CallPermit? permit)
    {
        (_version, _permit) = (version, permit);
        Model = version.Model;
    }

    public ServedModel Model { get; }

    /// <summary>Who asks; null where nobody was named.</summary>
    public Caller? Caller => _permit?.Caller;

    public ReadOnlyMemory<byte>? Owner { get; set; }

    public void ChargeRows(long rows, long paid) => _permit?.ChargeRows(rows, paid);

    /// <summary>Refuses, before a body is read, a caller who has no row of an encrypted model left.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.QuotaExceeded"/>.</exception>
    public void DemandRow() => _permit?.DemandRow();

    /// <summary>Takes the inputs out of what the caller may send.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.QuotaExceeded"/>.</exception>
    public void Charge(IReadOnlyList<Tensor> inputs)
    {
        if (_permit is null) return;
        long bytes = 0, elements = 0;
        foreach (Tensor input in inputs)
        {
            bytes += input.Bytes.Length;
            foreach (string text in input.Texts) bytes += text.Length;
            elements += input.ElementCount;
        }
        _permit.Charge(bytes, elements);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _version, null) is not { } version) return;
        version.LetGo();
        _permit?.Dispose();
    }
}
