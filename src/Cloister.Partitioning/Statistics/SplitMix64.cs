using System.Numerics;

namespace Cloister.Partitioning.Statistics;

/// <summary>
/// Numbers that are the same for a seed on every platform and version (G. L. Steele, D. Lea, C. H. Flood, OOPSLA 2014). For sampling and
/// noise in measurements; never for secrets.
/// </summary>
internal struct SplitMix64(long seed)
{
    private ulong _state = unchecked((ulong)seed * 0xD1342543DE82EF95 + 0x2545F4914F6CDD1D);

    public ulong Next()
    {
        unchecked
        {
            ulong z = _state += 0x9E3779B97F4A7C15;
            z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
            z = (z ^ z >> 27) * 0x94D049BB133111EB;
            return z ^ z >> 31;
        }
    }

    /// <summary>0 to <paramref name="bound"/> - 1; the bias of the multiplication is below 2^-32.</summary>
    public int Below(int bound) => (int)((ulong)(uint)bound * (Next() >> 32) >> 32);

    /// <summary>0 inclusive to 1 exclusive.</summary>
    public double Uniform() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>A standard normal number (Box and Muller).</summary>
    public double Gauss() => Math.Sqrt(-2 * Math.Log(1 - Uniform())) * Math.Cos(2 * Math.PI * Uniform());

    /// <summary>+1 or -1.</summary>
    public float Sign() => (BitOperations.PopCount(Next()) & 1) == 0 ? 1 : -1;

    /// <summary>Some of the numbers 0 to <paramref name="of"/> - 1, each at most once, in rising order; all of them where <paramref name="count"/> is as many.</summary>
    public int[] Choose(int count, int of)
    {
        int[] all = [.. Enumerable.Range(0, of)];
        if (count >= of)
            return all;
        for (int i = 0; i < count; i++)
        {
            int j = i + Below(of - i);
            (all[i], all[j]) = (all[j], all[i]);
        }
        int[] chosen = all[..count];
        Array.Sort(chosen);
        return chosen;
    }
}
