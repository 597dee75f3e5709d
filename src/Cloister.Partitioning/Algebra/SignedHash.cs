using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Algebra;

/// <summary>
/// Fewer numbers in place of many: each is added, with a sign, to one of fewer places, both chosen once at random (K. Weinberger et al.,
/// ICML 2009). Inner products are kept in the mean, which is all that a linear decoder uses.
/// </summary>
internal sealed class SignedHash
{
    private readonly int[] _place;
    private readonly float[] _sign;

    public SignedHash(int numbers, int places, int seed)
    {
        var random = new SplitMix64(seed);
        (_place, _sign) = (new int[numbers], new float[numbers]);
        for (int i = 0; i < numbers; i++)
            (_place[i], _sign[i]) = (random.Below(places), random.Sign());
    }

    /// <summary>Adds number i to its place.</summary>
    public void Add(int i, float value, Span<float> places) => places[_place[i]] += _sign[i] * value;
}
