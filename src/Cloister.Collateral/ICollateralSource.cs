namespace Cloister.Collateral;

/// <summary>
/// Where collateral comes from: a vendor's service, a folder, a cache before either. What it gives was read and is what was asked
/// for by its own words; whether it is genuine is for a verifier to say, which never fetches. Thread-safe.
/// </summary>
public interface ICollateralSource
{
    /// <summary>Gets one piece of collateral.</summary>
    /// <param name="request">What is wanted.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <exception cref="CollateralException">It is not to be had from here; the error says why.</exception>
    Task<CollateralItem> GetAsync(CollateralRequest request, CancellationToken cancellation = default);
}
