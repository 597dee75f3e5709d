using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Algebra;

/// <summary>
/// Fewer numbers in place of many: each is added, with a sign, to one of fewer places, both chosen once at random (K. Weinberger et al.,
/// ICML 2009). Inner products are kept in the mean, which is all that a linear decoder uses. Numbers are brought to one size before they
/// share a place: a loud one would drown the others there.
/// </summary>
internal sealed class SignedHash
{
    private readonly int[] _place;
    private readonly float[] _sign;
    private float[]? _shift;

    public SignedHash(int numbers, int places, int seed)
    {
        var random = new SplitMix64(seed);
        (_place, _sign) = (new int[numbers], new float[numbers]);
        for (int i = 0; i < numbers; i++)
            (_place[i], _sign[i]) = (random.Below(places), random.Sign());
    }

    /// <summary>Learns the sizes of the numbers, in place of taking them as they are.</summary>
    /// <param name="sizes">Their means and scales.</param>
    /// <param name="each">So many numbers in a row share one of these.</param>
    public void Learn(Standardisation sizes, int each)
    {
        _shift = new float[_sign.Length];
        for (int i = 0; i < _sign.Length; i++)
            (_shift[i], _sign[i]) = (sizes.Shift[i / each], Math.Sign(_sign[i]) * sizes.Scale[i / each]);
    }

    /// <summary>Adds number i to its place.</summary>
    public void Add(int i, float value, Span<float> places) => places[_place[i]] += _sign[i] * (_shift is null ? value : value - _shift[i]);
}
