using System.Collections.Concurrent;
using Cloister.Collateral;

namespace Cloister.Coordinator.Sgx;

/// <summary>Keeps the collateral of a few platforms in memory for a while, so that an activation reads no file.</summary>
internal sealed class RecentCollateral(ICollateralSource source, TimeProvider time) : ICollateralSource
{
    private const int Capacity = 64;

    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<string, Kept> _kept = new(StringComparer.Ordinal);

    public async Task<CollateralItem> GetAsync(CollateralRequest request, CancellationToken cancellation = default)
    {
        DateTimeOffset now = time.GetUtcNow();
        // A clock that was set back keeps nothing longer than it was meant to.
        if (_kept.TryGetValue(request.Name, out Kept? kept) && kept.From <= now && now < kept.From + Longest && !kept.Item.Period.HasEnded(now))
            return kept.Item;
        CollateralItem item = await source.GetAsync(request, cancellation);
        if (_kept.Count >= Capacity)
            _kept.Clear();
        _kept[request.Name] = new Kept(item, now);
        return item;
    }

    private sealed record Kept(CollateralItem Item, DateTimeOffset From);
}
