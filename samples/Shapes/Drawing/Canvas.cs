using System.Numerics;

namespace Cloister.Samples.Shapes.Drawing;

/// <summary>What is covered on a square of 32 by 32 pixels, each of 4 by 4 samples: one bit a sample, four rows of 128 bits a row of pixels.</summary>
internal sealed class Canvas
{
    public const int Size = 32;
    public const int SamplesPerPixel = Fine * Fine;
    private const int Fine = 4, FineSize = Size * Fine;

    private readonly UInt128[] _rows = new UInt128[FineSize];
    private readonly List<double> _crossings = [];

    /// <summary>How many of a pixel's samples are covered.</summary>
    public int Covered(int x, int y)
    {
        int count = 0;
        for (int row = y * Fine; row < (y + 1) * Fine; row++)
            count += BitOperations.PopCount((uint)(_rows[row] >> x * Fine) & (1u << Fine) - 1);
        return count;
    }

    /// <summary>Covers the inside of a polygon (even-odd).</summary>
    public void Fill(ReadOnlySpan<Point> corners)
    {
        double top = double.MaxValue, bottom = double.MinValue;
        foreach (Point corner in corners)
        {
            top = Math.Min(top, corner.Y);
            bottom = Math.Max(bottom, corner.Y);
        }

        for (int row = Index(top); row < Index(bottom); row++)
        {
            double y = (row + 0.5) / Fine;
            _crossings.Clear();
            Point from = corners[^1];
            foreach (Point to in corners)
            {
                if (from.Y <= y != to.Y <= y)
                    _crossings.Add(from.X + (y - from.Y) / (to.Y - from.Y) * (to.X - from.X));
                from = to;
            }

            _crossings.Sort();
            for (int i = 0; i + 1 < _crossings.Count; i += 2)
                Span(row, _crossings[i], _crossings[i + 1]);
        }
    }

    /// <summary>Covers the outline of a polygon with a round pen.</summary>
    public void Stroke(ReadOnlySpan<Point> corners, double width)
    {
        double half = width / 2;
        Point from = corners[^1];
        foreach (Point to in corners)
        {
            Disc(to, half);
            double x = to.X - from.X, y = to.Y - from.Y, length = Math.Sqrt(x * x + y * y);
            double acrossX = -y / length * half, acrossY = x / length * half;
            Fill([
                new(from.X + acrossX, from.Y + acrossY), new(to.X + acrossX, to.Y + acrossY),
                new(to.X - acrossX, to.Y - acrossY), new(from.X - acrossX, from.Y - acrossY)]);
            from = to;
        }
    }

    private void Disc(Point centre, double radius)
    {
        for (int row = Index(centre.Y - radius); row < Index(centre.Y + radius); row++)
        {
            double y = (row + 0.5) / Fine - centre.Y, half = Math.Sqrt(radius * radius - y * y);
            Span(row, centre.X - half, centre.X + half);
        }
    }

    private void Span(int row, double from, double to)
    {
        int first = Index(from), end = Index(to);
        if (end > first)
            _rows[row] |= (end - first == FineSize ? UInt128.MaxValue : (UInt128.One << end - first) - 1) << first;
    }

    /// <summary>The first sample whose centre lies at or after this coordinate.</summary>
    private static int Index(double coordinate) => (int)Math.Clamp(Math.Ceiling(coordinate * Fine - 0.5), 0, FineSize);
}
