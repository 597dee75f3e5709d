using System.Globalization;
using System.Text;

namespace Cloister.Partitioning.Reports;

/// <summary>A curve over the share of computation that stays inside, as SVG within the page.</summary>
internal sealed class Chart(string title, string caption, double least, double most)
{
    private const int Width = 520, Height = 240, Left = 46, Right = 12, Top = 26, Bottom = 34;

    private readonly List<(string Name, Point[] Points)> _series = [];
    private readonly List<(string Name, double Value)> _baselines = [];

    /// <summary>A point with its interval.</summary>
    public readonly record struct Point(double Share, double Lower, double Value, double Upper, string Cut);

    public bool IsEmpty => _series.All(series => series.Points.Length == 0);

    /// <summary>Adds a curve; there is room for two.</summary>
    public Chart Series(string name, IEnumerable<Point> points)
    {
        _series.Add((name, [.. points]));
        return this;
    }

    /// <summary>Adds a level that the curves are to be compared with.</summary>
    public Chart Baseline(string name, double? value)
    {
        if (value is { } level) _baselines.Add((name, level));
        return this;
    }

    public string ToHtml()
    {
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<figure><h3>{PageText.Escape(title)}</h3><svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{PageText.Escape(title)}\">");
        for (int i = 0; i <= 4; i++)
        {
            double level = least + (most - least) * i / 4;
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(level):0.#}\" y2=\"{Y(level):0.#}\"/><text x=\"{Left - 6}\" y=\"{Y(level) + 4:0.#}\" text-anchor=\"end\">{level:0.##}</text>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(i / 4.0):0.#}\" y=\"{Height - Bottom + 16}\" text-anchor=\"{(i == 4 ? "end" : "middle")}\">{25 * i} %</text>");
        }
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 4}\" text-anchor=\"middle\">computation that stays inside</text>");
        foreach ((string name, double value) in _baselines)
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"baseline\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(value):0.#}\" y2=\"{Y(value):0.#}\"/><text x=\"{Width - Right - 2}\" y=\"{Y(value) - 4:0.#}\" text-anchor=\"end\">{PageText.Escape(name)}</text>");
        for (int i = 0; i < _series.Count; i++) Draw(svg, i);
        return svg.Append("</svg><figcaption>").Append(PageText.Escape(caption)).Append("</figcaption></figure>").ToString();
    }

    private void Draw(StringBuilder svg, int place)
    {
        (string name, Point[] points) = _series[place];
        if (points.Length == 0) return;
        string ink = place == 0 ? "one" : "two";
        svg.Append(CultureInfo.InvariantCulture, $"<text class=\"key {ink}\" x=\"{Left + 4 + 220 * place}\" y=\"14\">{PageText.Escape(name)}</text>");
        if (points.Length > 1)
            svg.Append(CultureInfo.InvariantCulture, $"<polyline class=\"{ink}\" points=\"{string.Join(' ', points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{X(point.Share):0.#},{Y(point.Value):0.#}")))}\"/>");
        foreach (Point point in points)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"{ink}\" x1=\"{X(point.Share):0.#}\" x2=\"{X(point.Share):0.#}\" y1=\"{Y(point.Lower):0.#}\" y2=\"{Y(point.Upper):0.#}\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<circle class=\"dot{place + 1}\" cx=\"{X(point.Share):0.#}\" cy=\"{Y(point.Value):0.#}\" r=\"3.5\"><title>{PageText.Escape(point.Cut)}: {PageText.Number(point.Value)} ({PageText.Number(point.Lower)} to {PageText.Number(point.Upper)})</title></circle>");
        }
    }

    private static double X(double share) => Left + Math.Clamp(share, 0, 1) * (Width - Left - Right);

    private double Y(double value) => Top + (1 - Math.Clamp((value - least) / (most - least), 0, 1)) * (Height - Top - Bottom);
}
