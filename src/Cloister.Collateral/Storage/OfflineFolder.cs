namespace Cloister.Collateral;

/// <summary>
/// Collateral in a folder, laid out as docs/formats/collateral-folder.md says; a <see cref="DiskCache"/>'s folder is one. Nothing is
/// ever fetched: what is not there is not to be had.
/// </summary>
public sealed class OfflineFolder : ICollateralSource
{
    private readonly string _folder;
    private readonly StaleCollateral _stale;
    private readonly TimeProvider _time;

    /// <summary>Uses a folder; it need not be there yet.</summary>
    /// <param name="folder">Its path.</param>
    /// <param name="stale">What to do with what is out of date. <see cref="StaleCollateral.Serve"/> where evidence is judged at a time in the past.</param>
    /// <param name="time">The clock.</param>
    public OfflineFolder(string folder, StaleCollateral stale = StaleCollateral.Refuse, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        (_folder, _stale, _time) = (Path.GetFullPath(folder), stale, time ?? TimeProvider.System);
    }

    /// <inheritdoc/>
    public async Task<CollateralItem> GetAsync(CollateralRequest request, CancellationToken cancellation = default)
    {
        string path = CollateralFiles.PathOf(_folder, request);
        if (await CollateralFiles.ReadAsync(path, request.MaximumSize, cancellation) is not { } read)
            throw new CollateralException(CollateralError.NotFound, $"{path} is not there: fetch {request.Name} where there is a network and bring it.");
        if (read.Digest == CollateralFiles.Digest.Differs)
            throw new CollateralException(CollateralError.Malformed, $"{path} differs from the digest beside it: bring both again.");
        return CollateralRequest.Dated(request.Accept(read.Bytes, path, _time), _stale, path);
    }
}
