namespace Cloister.Serving.Repository;

/// <summary>One request's hold on a version of a model: the version is not released before it is disposed.</summary>
internal sealed class ModelLease : IDisposable
{
    private readonly IDisposable? _permit;
    private LoadedVersion? _version;

    /// <summary>Takes over a hold on the version.</summary>
    /// <param name="version">Held for this lease already.</param>
    /// <param name="permit">What the caller was allowed and gives back with the request; null if nothing.</param>
    public ModelLease(LoadedVersion version, IDisposable? permit)
    {
        (_version, _permit) = (version, permit);
        Model = version.Model;
    }

    public ServedModel Model { get; }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _version, null) is not { } version) return;
        version.LetGo();
        _permit?.Dispose();
    }
}
