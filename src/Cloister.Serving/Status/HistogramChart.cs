using System.Globalization;
using Cloister.Serving.Metrics;

namespace Cloister.Serving.Status;

/// <summary>Draws a histogram of times as SVG: one bar an interval, its bound below, its count as its title.</summary>
internal static class HistogramChart
{
    private const int BarWidth = 26, Height = 72, LabelHeight = 18, LabelOverhang = 18;

    public static void Write(HtmlText html, Histogram histogram, string title)
    {
        long[] counts = histogram.Counts();
        (int first, int last) = Shown(counts);
        long most = Math.Max(1, counts.Max());
        int bars = (last - first + 1) * BarWidth, width = bars + LabelOverhang;
        html.Markup($"<svg viewBox=\"0 0 {width} {Height + LabelHeight}\" width=\"{width}\" height=\"{Height + LabelHeight}\" role=\"img\" aria-label=\"").Text(title).Markup("\">");
        for (int i = first; i <= last; i++)
        {
            int x = (i - first) * BarWidth;
            // What is there must be seen, however rare.
            double height = counts[i] == 0 ? 0 : Math.Max(1.5, (double)counts[i] / most * (Height - 4));
            html.Markup(string.Create(CultureInfo.InvariantCulture, $"<rect x=\"{x + 1}\" y=\"{Height - height:0.#}\" width=\"{BarWidth - 2}\" height=\"{height:0.#}\" rx=\"1\"><title>"));
            html.Text(i < histogram.Bounds.Count ? "up to " + HtmlText.Readable(histogram.Bounds[i]) : "more than " + HtmlText.Readable(histogram.Bounds[^1])).Text(": ").Count(counts[i]).Markup("</title></rect>");
            if ((i - first) % 2 == 0)
                html.Markup($"<text x=\"{x + BarWidth - 2}\" y=\"{Height + 13}\" text-anchor=\"middle\">").Text(i < histogram.Bounds.Count ? Label(histogram.Bounds[i]) : "more").Markup("</text>");
        }
        html.Markup($"<line x1=\"0\" y1=\"{Height}\" x2=\"{bars}\" y2=\"{Height}\"/></svg>");
    }

    /// <summary>The intervals that are drawn: those that hold something, one more on either side, and at least eight.</summary>
    private static (int First, int Last) Shown(long[] counts)
    {
        int first = Math.Max(0, Array.FindIndex(counts, count => count > 0) - 1), last = Math.Min(counts.Length - 1, Array.FindLastIndex(counts, count => count > 0) + 1);
        while (last - first < 7 && (first > 0 || last < counts.Length - 1))
        {
            if (last < counts.Length - 1) last++;
            if (last - first < 7 && first > 0) first--;
        }
        return (first, last);
    }

    private static string Label(double seconds) => HtmlText.Readable(seconds).Replace(" ", "", StringComparison.Ordinal);
}
