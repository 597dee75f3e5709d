using System.Collections.Immutable;
using Cloister.Attestation;
using Cloister.Attestation.SevSnp;

namespace Cloister.Collateral;

/// <summary>All collateral that a verifier needs for one piece of evidence.</summary>
/// <param name="Items">In the order in which a verifier looks at them.</param>
public sealed record CollateralSet(ImmutableArray<CollateralItem> Items)
{
    /// <summary>Whether any of it is past its end.</summary>
    public bool IsStale => Items.Any(item => item.IsStale);

    /// <summary>The form in which a verifier takes it.</summary>
    public Endorsements ToEndorsements() => new([.. Items.Select(item => item.ToEndorsement())]);

    /// <summary>
    /// The signing key's certificate, its authorities and AMD's revocation list. The certificate of a VLEK is left out where the
    /// source has none: AMD gives it to the cloud provider alone, and evidence brings it.
    /// </summary>
    /// <exception cref="CollateralException">Something else is not to be had.</exception>
    public static async Task<CollateralSet> GetAsync(ICollateralSource source, SnpPlatform platform, CancellationToken cancellation = default)
    {
        var items = ImmutableArray.CreateBuilder<CollateralItem>();
        try
        {
            items.Add(await source.GetAsync(new SnpKeyRequest(platform), cancellation));
        }
        catch (CollateralException absent) when (platform.Key == SnpSigningKey.Vlek && absent.Error is (CollateralError.NotServed or CollateralError.NotFound))
        {
            // the evidence brings it
        }
        items.Add(await source.GetAsync(new SnpAuthoritiesRequest(platform.Product, platform.Key), cancellation));
        items.Add(await source.GetAsync(new SnpRevocationListRequest(platform.Product, platform.Key), cancellation));
        return new CollateralSet(items.ToImmutable());
    }

    /// <summary>Intel's collateral of a platform.</summary>
    /// <exception cref="CollateralException">It is not to be had.</exception>
    public static async Task<CollateralSet> GetAsync(ICollateralSource source, DcapPlatform platform, CancellationToken cancellation = default) =>
        new([await source.GetAsync(new DcapRequest(platform), cancellation)]);
}
