namespace Cloister.Samples.Shapes.Drawing;

/// <summary>The ten shapes as polygons within the unit circle. Their order is the order of the labels.</summary>
internal static class Outlines
{
    private const int CurvePoints = 40;

    /// <summary>The labels, in the order of the network's outputs.</summary>
    public static IReadOnlyList<string> Labels { get; } =
        ["circle", "triangle", "square", "hexagon", "star", "cross", "arrow", "crescent", "heart", "semicircle"];

    /// <summary>The polygons, one a label.</summary>
    public static IReadOnlyList<Point[]> All { get; } =
    [
        Regular(CurvePoints, 1),
        Regular(3, 1),
        Regular(4, 1),
        Regular(6, 1),
        Star(),
        [new(.3, .95), new(-.3, .95), new(-.3, .3), new(-.95, .3), new(-.95, -.3), new(-.3, -.3), new(-.3, -.95), new(.3, -.95), new(.3, -.3), new(.95, -.3), new(.95, .3), new(.3, .3)],
        [new(1, 0), new(.1, .8), new(.1, .28), new(-.95, .28), new(-.95, -.28), new(.1, -.28), new(.1, -.8)],
        Crescent(),
        Heart(),
        Semicircle(),
    ];

    private static Point At(double angle, double radius)
    {
        (double sin, double cos) = ExactMath.SinCos(angle);
        return new Point(radius * cos, radius * sin);
    }

    private static Point[] Regular(int corners, double radius) =>
        [.. Enumerable.Range(0, corners).Select(i => At(2 * Math.PI * i / corners, radius))];

    private static Point[] Star() =>
        [.. Enumerable.Range(0, 10).Select(i => At(2 * Math.PI * i / 10, i % 2 == 0 ? 1 : 0.42))];

    /// <summary>An arc of 240 degrees and, back from its end, a flatter one through the inside.</summary>
    private static Point[] Crescent()
    {
        const double opening = Math.PI / 3;
        (double sin, double cos) = ExactMath.SinCos(opening);
        // The inner circle passes through both tips; its centre lies this far along the axis.
        double centre = 0.62, radius = Math.Sqrt((cos - centre) * (cos - centre) + sin * sin);
        var points = new List<Point>();
        for (int i = 0; i <= CurvePoints; i++)
            points.Add(At(opening + (2 * Math.PI - 2 * opening) * i / CurvePoints, 1));
        for (int i = 1; i < CurvePoints; i++)
        {
            Point inner = At(-Math.PI * 2 / 3 - Math.PI * 2 / 3 * i / CurvePoints, 1);
            double length = Math.Sqrt(inner.X * inner.X + inner.Y * inner.Y);
            points.Add(new Point(centre + inner.X / length * radius, inner.Y / length * radius));
        }

        return [.. points];
    }

    /// <summary>The curve x = 16 sin^3 t, y = 13 cos t - 5 cos 2t - 2 cos 3t - cos 4t, moved and scaled into the unit circle.</summary>
    private static Point[] Heart() =>
        [.. Enumerable.Range(0, CurvePoints).Select(i =>
        {
            double t = 2 * Math.PI * i / CurvePoints, sin = ExactMath.SinCos(t).Sin;
            double y = 13 * ExactMath.SinCos(t).Cos - 5 * ExactMath.SinCos(2 * t).Cos - 2 * ExactMath.SinCos(3 * t).Cos - ExactMath.SinCos(4 * t).Cos;
            return new Point(16 * sin * sin * sin / 18.2, (y + 2.5) / 18.2);
        })];

    private static Point[] Semicircle() =>
        [.. Enumerable.Range(0, CurvePoints / 2 + 1).Select(i => At(Math.PI * i / (CurvePoints / 2), 0.92)).Select(p => new Point(p.X, p.Y - 0.37))];
}
