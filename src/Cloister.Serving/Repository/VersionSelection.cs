namespace Cloister.Serving.Repository;

/// <summary>Which of the stored versions a policy wants.</summary>
internal static class VersionSelection
{
    /// <summary>The wanted versions, the newest first.</summary>
    /// <param name="policy">What the plan says.</param>
    /// <param name="stored">What lies in the store.</param>
    public static IReadOnlyList<StoredVersion> Choose(VersionPolicy policy, IReadOnlyList<StoredVersion> stored)
    {
        IEnumerable<StoredVersion> newest = stored.OrderByDescending(version => version.Number);
        return policy switch
        {
            VersionPolicy.Latest latest => TakeNumbers(newest, latest.Count),
            VersionPolicy.Specific specific => [.. newest.Where(version => specific.Numbers.Contains(version.Number))],
            _ => [.. newest],
        };
    }

    // Files that claim the same number count once, so that all of them are refused together.
    private static List<StoredVersion> TakeNumbers(IEnumerable<StoredVersion> newest, int count) =>
        [.. newest.GroupBy(version => version.Number).Take(count).SelectMany(group => group)];
}
