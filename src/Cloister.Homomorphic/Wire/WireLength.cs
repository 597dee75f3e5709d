namespace Cloister.Homomorphic.Wire;

/// <summary>Bytes end where their layout ends.</summary>
internal static class WireLength
{
    /// <exception cref="HomomorphicException">There are fewer bytes, or more.</exception>
    internal static void Require(long actual, long expected, string what)
    {
        if (actual < expected) throw new HomomorphicException(HomomorphicError.WireTruncated, $"{what} ends after {actual} bytes; by its header it has {expected}.");
        if (actual > expected) throw new HomomorphicException(HomomorphicError.WireTrailing, $"{what} has {actual} bytes; by its header it ends after {expected}.");
    }
}
