using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Cloister.Coordinator.Metrics;

/// <summary>All series of one instrument, as Prometheus' text format 0.0.4 writes them.</summary>
internal sealed class MetricFamily(string name, string help, string type, double[] buckets)
{
    // Labels are bounded where they are made; this holds even if one is not.
    internal const int MaxSeries = 8192;

    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, Series> _series = new(StringComparer.Ordinal);

    public string Name { get; } = name;

    public static MetricFamily Of(Instrument instrument) => instrument switch
    {
        Histogram<double> histogram => new(instrument.Name, instrument.Description ?? "", "histogram", [.. histogram.Advice?.HistogramBucketBoundaries ?? []]),
        Counter<long> => new(instrument.Name, instrument.Description ?? "", "counter", []),
        _ => new(instrument.Name, instrument.Description ?? "", "gauge", []),
    };

    /// <summary>Adds to a counter or an up-down counter, or counts one value of a histogram.</summary>
    public void Add(double value, ReadOnlySpan<KeyValuePair<string, object?>> labels) => Change(labels, series =>
    {
        series.Sum += value;
        series.Count++;
        for (int i = 0; i < buckets.Length; i++)
        {
            if (value <= buckets[i])
                series.Buckets[i]++;
        }
    });

    /// <summary>Sets a gauge.</summary>
    public void Set(double value, ReadOnlySpan<KeyValuePair<string, object?>> labels) => Change(labels, series => series.Sum = value);

    public void Write(StringBuilder text)
    {
        text.Append("# HELP ").Append(Name).Append(' ').Append(help.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('\n');
        text.Append("# TYPE ").Append(Name).Append(' ').Append(type).Append('\n');
        lock (_lock)
        {
            foreach ((string labels, Series series) in _series)
                Write(text, labels, series);
        }
    }

    private void Write(StringBuilder text, string labels, Series series)
    {
        if (type != "histogram")
        {
            Line(text, Name, labels, series.Sum);
            return;
        }
        string before = labels.Length == 0 ? "" : labels + ",";
        for (int i = 0; i < buckets.Length; i++)
            Line(text, Name + "_bucket", $"{before}le=\"{Number(buckets[i])}\"", series.Buckets[i]);
        Line(text, Name + "_bucket", $"{before}le=\"+Inf\"", series.Count);
        Line(text, Name + "_sum", labels, series.Sum);
        Line(text, Name + "_count", labels, series.Count);
    }

    private void Change(ReadOnlySpan<KeyValuePair<string, object?>> labels, Action<Series> change)
    {
        string key = Key(labels);
        lock (_lock)
        {
            if (!_series.TryGetValue(key, out Series? series))
            {
                if (_series.Count >= MaxSeries)
                    return;
                _series.Add(key, series = new Series(buckets.Length));
            }
            change(series);
        }
    }

    private static void Line(StringBuilder text, string name, string labels, double value)
    {
        text.Append(name);
        if (labels.Length > 0)
            text.Append('{').Append(labels).Append('}');
        text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string Key(ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        if (labels.IsEmpty)
            return "";
        string[] written = new string[labels.Length];
        for (int i = 0; i < labels.Length; i++)
            written[i] = $"{labels[i].Key}=\"{Escape($"{labels[i].Value}")}\"";
        Array.Sort(written, StringComparer.Ordinal);
        return string.Join(',', written);
    }

    private static string Escape(string value) => value.AsSpan().IndexOfAny('\\', '"', '\n') < 0 ? value
        : value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private sealed class Series(int buckets)
    {
        public double Sum { get; set; }

        public long Count { get; set; }

        /// <summary>Cumulative, as the format has them.</summary>
        public long[] Buckets { get; } = new long[buckets];
    }
}
