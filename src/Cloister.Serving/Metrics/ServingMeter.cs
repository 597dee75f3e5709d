using System.Diagnostics;
using System.Diagnostics.Metrics;
using Cloister.Serving.Surfaces;
using Microsoft.AspNetCore.Http;

namespace Cloister.Serving.Metrics;

/// <summary>The same figures for whoever listens inside the process: OpenTelemetry, dotnet-counters.</summary>
internal sealed class ServingMeter : IServingObserver, IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string Name = "Cloister.Serving";

    private readonly Meter _meter;
    private readonly UpDownCounter<long> _inFlight;
    private readonly Histogram<double> _duration, _queued, _computed;

    public ServingMeter()
    {
        _meter = new Meter(Name);
        _inFlight = _meter.CreateUpDownCounter<long>("cloister.serving.requests.active", "{request}", "Requests that have begun and not ended.");
        _duration = _meter.CreateHistogram<double>("cloister.serving.request.duration", "s", "Time from the first look at a request to the end of its answer.");
        _queued = _meter.CreateHistogram<double>("cloister.serving.queue.duration", "s", "Time that a prediction waited for a thread or for its batch.");
        _computed = _meter.CreateHistogram<double>("cloister.serving.compute.duration", "s", "Time that the model ran for a prediction.");
    }

    public void Began(RequestRecord request, HttpContext http) => _inFlight.Add(1, new KeyValuePair<string, object?>("surface", request.Surface));

    public void Ended(RequestRecord request, TimeSpan total)
    {
        _inFlight.Add(-1, new KeyValuePair<string, object?>("surface", request.Surface));
        if (_duration.Enabled)
        {
            var tags = new TagList { { "surface", request.Surface }, { "method", request.Method }, { "model", request.Model ?? "" } };
            if (request.Refusal is { } reason) tags.Add("error.type", RequestMetrics.Reason(reason));
            _duration.Record(total.TotalSeconds, tags);
        }
        if (request.Computed == TimeSpan.Zero) return;
        var model = new KeyValuePair<string, object?>("model", request.Model ?? "");
        _queued.Record(request.Queued.TotalSeconds, model);
        _computed.Record(request.Computed.TotalSeconds, model);
    }

    public void Dispose() => _meter.Dispose();
}
