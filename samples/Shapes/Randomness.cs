using System.Numerics;

namespace Cloister.Samples.Shapes;

/// <summary>xoshiro256** seeded by SplitMix64 (https://prng.di.unimi.it): the same numbers everywhere, one stream for each (seed, index).</summary>
internal sealed class Randomness
{
    private ulong _a, _b, _c, _d;

    public Randomness(ulong seed, ulong index)
    {
        ulong state = seed ^ index * 0xD1342543DE82EF95;
        _a = SplitMix(ref state);
        _b = SplitMix(ref state);
        _c = SplitMix(ref state);
        _d = SplitMix(ref state);
    }

    public ulong Next()
    {
        ulong result = BitOperations.RotateLeft(_b * 5, 7) * 9, shifted = _b << 17;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= shifted;
        _d = BitOperations.RotateLeft(_d, 45);
        return result;
    }

    /// <summary>A number in [low, high).</summary>
    public double Between(double low, double high) => low + (high - low) * ((Next() >> 11) * (1.0 / (1UL << 53)));

    /// <summary>A byte.</summary>
    public int Byte() => (int)(Next() >> 56);

    private static ulong SplitMix(ref ulong state)
    {
        ulong z = state += 0x9E3779B97F4A7C15;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
    }
}
