using System.Collections.Immutable;

namespace Cloister.Collateral;

/// <summary>Asks sources one after the other until one has what is wanted: a folder before a service, AMD's service beside Intel's.</summary>
public sealed class SourceChain : ICollateralSource
{
    private readonly ImmutableArray<ICollateralSource> _sources;

    /// <summary>Puts sources in order.</summary>
    /// <exception cref="ArgumentException">There are none.</exception>
    public SourceChain(params ICollateralSource[] sources)
    {
        if (sources.Length == 0) throw new ArgumentException("A chain needs a source.", nameof(sources));
        _sources = [.. sources];
    }

    /// <inheritdoc/>
    /// <remarks>If none has it, the error is that of the last source that serves such requests at all.</remarks>
    public async Task<CollateralItem> GetAsync(CollateralRequest request, CancellationToken cancellation = default)
    {
        CollateralException? last = null;
        foreach (ICollateralSource source in _sources)
        {
            try
            {
                return await source.GetAsync(request, cancellation);
            }
            catch (CollateralException failed)
            {
                if (last is null || failed.Error != CollateralError.NotServed) last = failed;
            }
        }
        throw new CollateralException(last!.Error, last.Message, last);
    }
}
