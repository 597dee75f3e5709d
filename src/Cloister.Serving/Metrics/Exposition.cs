using System.Globalization;
using System.Text;

namespace Cloister.Serving.Metrics;

/// <summary>Prometheus' text format, version 0.0.4 (prometheus.io, "Exposition formats").</summary>
internal sealed class Exposition
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _text = new();

    /// <summary>Begins a metric; all its samples follow.</summary>
    public void Family(string name, string type, string help)
    {
        _text.Append("# HELP ").Append(name).Append(' ').Append(help.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('\n');
        _text.Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
    }

    /// <summary>A metric without labels and with one value.</summary>
    public void Single(string name, string type, string help, double value)
    {
        Family(name, type, help);
        Sample(name, [], default, value);
    }

    public void Sample(string name, string[] labels, LabelValues values, double value, string? bound = null)
    {
        _text.Append(name);
        if (labels.Length > 0 || bound is not null)
        {
            _text.Append('{');
            for (int i = 0; i < labels.Length; i++)
            {
                if (i > 0) _text.Append(',');
                Label(labels[i], values[i]);
            }
            if (bound is not null)
            {
                if (labels.Length > 0) _text.Append(',');
                Label("le", bound);
            }
            _text.Append('}');
        }
        _text.Append(' ').Append(Number(value)).Append('\n');
    }

    public void Histogram(string name, string[] labels, LabelValues values, Histogram histogram)
    {
        long[] counts = histogram.Counts();
        long cumulative = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            cumulative += counts[i];
            Sample(name + "_bucket", labels, values, cumulative, i < histogram.Bounds.Count ? Number(histogram.Bounds[i]) : "+Inf");
        }
        Sample(name + "_sum", labels, values, histogram.Sum);
        Sample(name + "_count", labels, values, cumulative);
    }

    public override string ToString() => _text.ToString();

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    private void Label(string name, string value)
    {
        _text.Append(name).Append("=\"");
        foreach (char c in value)
        {
            _ = c switch { '\\' => _text.Append("\\\\"), '"' => _text.Append("\\\""), '\n' => _text.Append("\\n"), _ => _text.Append(c) };
        }
        _text.Append('"');
    }
}
