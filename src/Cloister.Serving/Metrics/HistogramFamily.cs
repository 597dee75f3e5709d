namespace Cloister.Serving.Metrics;

/// <summary>Distributions over fixed bounds.</summary>
internal sealed class HistogramFamily(string name, string help, double[] bounds, params string[] labels) : MetricFamily<Histogram>(name, "histogram", help, labels)
{
    protected override Histogram Create() => new(bounds);

    protected override void WriteCell(Exposition text, LabelValues values, Histogram cell) => text.Histogram(Name, Labels, values, cell);
}
