namespace Cloister.Collateral;

/// <summary>
/// Keeps in a folder what another source gives, until it is out of date. An entry that is damaged in any way counts as none and is
/// fetched again. The folder may be shared by processes, and carried to where there is no network (<see cref="OfflineFolder"/>).
/// </summary>
public sealed class DiskCache : ICollateralSource
{
    private const int Stripes = 16;

    private readonly ICollateralSource _source;
    private readonly string _folder;
    private readonly StaleCollateral _stale;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim[] _gates = [.. Enumerable.Range(0, Stripes).Select(_ => new SemaphoreSlim(1))];

    /// <summary>Puts a cache before a source.</summary>
    /// <param name="source">Where to fetch.</param>
    /// <param name="folder">The folder's path; made when it is first needed.</param>
    /// <param name="stale">What to do with an entry that is out of date when the source has nothing newer.</param>
    /// <param name="time">The clock.</param>
    public DiskCache(ICollateralSource source, string folder, StaleCollateral stale = StaleCollateral.Refuse, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        (_source, _folder, _stale, _time) = (source, Path.GetFullPath(folder), stale, time ?? TimeProvider.System);
    }

    /// <inheritdoc/>
    /// <remarks>Who asks for the same at the same time waits for one fetch. A folder that cannot be written is an error, not a slow cache.</remarks>
    public async Task<CollateralItem> GetAsync(CollateralRequest request, CancellationToken cancellation = default)
    {
        string path = CollateralFiles.PathOf(_folder, request);
        SemaphoreSlim gate = _gates[(uint)string.GetHashCode(request.Name, StringComparison.Ordinal) % Stripes];
        await gate.WaitAsync(cancellation);
        try
        {
            CollateralItem? kept = await KeptAsync(request, path, cancellation);
            if (kept is { IsStale: false }) return kept;
            CollateralItem fetched;
            try
            {
                fetched = await _source.GetAsync(request, cancellation);
            }
            catch (CollateralException) when (kept is not null && _stale == StaleCollateral.Serve)
            {
                return kept; // marked as stale
            }
            if (!fetched.IsStale) await CollateralFiles.WriteAsync(path, fetched.Bytes, cancellation);
            return CollateralRequest.Dated(fetched, _stale, request.Name);
        }
        finally
        {
            gate.Release();
        }
    }

    private async Task<CollateralItem?> KeptAsync(CollateralRequest request, string path, CancellationToken cancellation)
    {
        try
        {
            return await CollateralFiles.ReadAsync(path, request.MaximumSize, cancellation) is { Digest: CollateralFiles.Digest.Holds } read
                ? request.Accept(read.Bytes, path, _time)
                : null;
        }
        catch (CollateralException damaged) when (damaged.Error is CollateralError.Malformed or CollateralError.TooLarge)
        {
            return null; // fetched again and replaced
        }
    }
}
