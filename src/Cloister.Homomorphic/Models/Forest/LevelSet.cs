namespace Cloister.Homomorphic.Models;

/// <summary>Some of the levels 0 to 255.</summary>
internal readonly record struct LevelSet(UInt128 Low, UInt128 High)
{
    internal bool IsEmpty => Low == 0 && High == 0;

    internal int Count => (int)(UInt128.PopCount(Low) + UInt128.PopCount(High));

    /// <summary>The first levels.</summary>
    internal static LevelSet Below(int count) => count >= 128
        ? new(UInt128.MaxValue, count == 256 ? UInt128.MaxValue : (UInt128.One << (count - 128)) - 1)
        : new((UInt128.One << count) - 1, 0);

    internal static LevelSet Of(int level) => level < 128 ? new(UInt128.One << level, 0) : new(0, UInt128.One << (level - 128));

    internal bool Contains(int level) => !(this & Of(level)).IsEmpty;

    internal IEnumerable<int> Levels()
    {
        for (int level = 0; level < 256; level++)
            if (Contains(level)) yield return level;
    }

    public static LevelSet operator &(LevelSet a, LevelSet b) => new(a.Low & b.Low, a.High & b.High);

    public static LevelSet operator |(LevelSet a, LevelSet b) => new(a.Low | b.Low, a.High | b.High);

    /// <summary>The levels of a that are not in b.</summary>
    public static LevelSet operator -(LevelSet a, LevelSet b) => new(a.Low & ~b.Low, a.High & ~b.High);
}
