namespace Cloister.Partitioning.Weights;

/// <summary>What came of fitting a public FrontNet to what crosses a cut.</summary>
/// <param name="First">The first class of each test picture by the fitted surrogate; null where none was fitted.</param>
/// <param name="Explains">The share of variance that the fit explains in queries held out: the least of the cut's tensors.</param>
/// <param name="Reason">Why none was fitted.</param>
internal sealed record Refit(int[]? First, double? Explains, string? Reason)
{
    public static Refit Not(string reason) => new(null, null, reason);
}
