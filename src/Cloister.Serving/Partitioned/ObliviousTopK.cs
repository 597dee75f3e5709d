namespace Cloister.Serving.Partitioned;

/// <summary>
/// The highest scores of a row, best first; of equal scores the lower index is better, and NaN is never better than a number. Which ones they
/// are changes neither an instruction nor an address: every score is compared with every place, by arithmetic alone
/// (docs/decisions/0170-the-class-stays-out-of-time-and-size.md).
/// </summary>
internal static class ObliviousTopK
{
    /// <summary>Finds them.</summary>
    /// <param name="scores">The row.</param>
    /// <param name="best">As many keys as are asked for, at most as many as there are scores; <see cref="IndexOf"/> and <see cref="ScoreOf"/> read them.</param>
    public static void Select(ReadOnlySpan<float> scores, Span<long> best)
    {
        if (best.Length > scores.Length) throw new ArgumentException($"{best.Length} of {scores.Length} scores are asked for.", nameof(best));
        best.Clear(); // less than any key
        for (int i = 0; i < scores.Length; i++)
        {
            long candidate = Key(scores[i], i);
            for (int place = 0; place < best.Length; place++) CompareExchange(ref best[place], ref candidate);
        }
    }

    /// <summary>The index that a key stands for.</summary>
    public static int IndexOf(long key) => unchecked(int.MaxValue - (int)(key & int.MaxValue));

    /// <summary>The score that a key stands for; a negative zero comes back as zero.</summary>
    public static float ScoreOf(long key)
    {
        int ordered = unchecked((int)((uint)(key >> 31) ^ 0x8000_0000u));
        return BitConverter.Int32BitsToSingle(ordered ^ ((ordered >> 31) & int.MaxValue));
    }

    /// <summary>A number from 0 below 2^63 that is larger for a better score, and for the lower index of equal scores: 32 bits of rank, then 31 of the index.</summary>
    internal static long Key(float score, int index)
    {
        unchecked
        {
            int bits = BitConverter.SingleToInt32Bits(score);
            int magnitude = bits & int.MaxValue;
            bits &= (0 - magnitude) >> 31; // a zero has no sign
            int ordered = bits ^ ((bits >> 31) & int.MaxValue); // IEEE 754 numbers in the order of whole ones
            int isNumber = ~((0x7F80_0000 - magnitude) >> 31); // all ones, but for NaN
            uint rank = ((uint)ordered ^ 0x8000_0000u) & (uint)isNumber;
            return ((long)rank << 31) | (uint)(int.MaxValue - index);
        }
    }

    /// <summary>Leaves the larger key in <paramref name="high"/>. Both are from 0 below 2^63, so that the sign of their difference says which is larger.</summary>
    internal static void CompareExchange(ref long high, ref long low)
    {
        unchecked
        {
            long change = (high ^ low) & ((high - low) >> 63);
            high ^= change;
            low ^= change;
        }
    }
}
