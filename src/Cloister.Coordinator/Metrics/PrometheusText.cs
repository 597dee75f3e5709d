using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;

namespace Cloister.Coordinator.Metrics;

/// <summary>Listens to one meter's instruments and writes what they said in Prometheus' text format.</summary>
internal sealed class PrometheusText : IDisposable
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);

    public PrometheusText(Meter meter)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter, meter))
                listener.EnableMeasurementEvents(instrument, _families.GetOrAdd(instrument.Name, _ => MetricFamily.Of(instrument)));
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, labels, family) =>
        {
            if (instrument.IsObservable)
                ((MetricFamily)family!).Set(value, labels);
            else
                ((MetricFamily)family!).Add(value, labels);
        });
        _listener.SetMeasurementEventCallback<double>((_, value, labels, family) => ((MetricFamily)family!).Add(value, labels));
        _listener.Start();
    }

    public string Write()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        foreach (MetricFamily family in _families.Values.OrderBy(family => family.Name, StringComparer.Ordinal))
            family.Write(text);
        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();
}
