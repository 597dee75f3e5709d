using System.Globalization;
using System.Text;
using Cloister.Serving.Surfaces;
using Microsoft.AspNetCore.Http;

namespace Cloister.Serving.Metrics;

/// <summary>Cloister's own metrics of requests, on every surface alike.</summary>
internal sealed class RequestMetrics : IServingObserver
{
    private const string Prefix = "cloister_serving_";

    /// <summary>Seconds, from what a small model takes to what a caller waits for.</summary>
    private static readonly double[] Seconds = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

    private readonly CounterFamily _requests = new(Prefix + "requests_total", "Requests that ended, answered or refused.", "surface", "method", "model", "version");
    private readonly CounterFamily _refusals = new(Prefix + "refusals_total", "Requests that were refused, by reason.", "surface", "model", "reason");
    private readonly CounterFamily _received = new(Prefix + "request_bytes_total", "Bytes of requests' bodies as they were sent.", "surface", "model");
    private readonly CounterFamily _sent = new(Prefix + "response_bytes_total", "Bytes of answers' bodies.", "surface", "model");
    private readonly HistogramFamily _total = new(Prefix + "request_seconds", "Time from the first look at a request to the end of its answer.", Seconds, "surface", "method", "model");
    private readonly HistogramFamily _items = new(Prefix + "request_items", "Items (the first dimension) of a prediction.", Histogram.Exponential(1, 2, 15), "model");
    private readonly CounterFamily _rows = new(Prefix + "encrypted_rows_total", "Rows that encrypted models answered.", "model");
    private readonly CounterFamily _ciphertexts = new(Prefix + "encrypted_bytes_total", "Bytes of encrypted queries that were answered, and of their answers.", "model", "direction");
    private readonly SeriesCache<Cells> _cells;
    private long _inFlight;

    public RequestMetrics() => _cells = new SeriesCache<Cells>(key => new Cells(this, key));

    /// <summary>Time until a prediction began, by model.</summary>
    public HistogramFamily Queued { get; } = new(Prefix + "queue_seconds", "Time that a prediction waited for a thread or for its batch.", Seconds, "model");

    /// <summary>Time that the model ran, by model.</summary>
    public HistogramFamily Computed { get; } = new(Prefix + "compute_seconds", "Time that the model ran for a prediction.", Seconds, "model");

    /// <summary>Time of whole requests that predicted, by model: what a caller waits.</summary>
    public HistogramFamily Predictions { get; } = new(Prefix + "prediction_seconds", "Time of whole requests that were answered with a prediction.", Seconds, "model");

    /// <summary>Requests by surface, method, model and version.</summary>
    public CounterFamily Requests => _requests;

    /// <summary>Refusals by surface, model and reason.</summary>
    public CounterFamily Refusals => _refusals;

    /// <summary>Requests that have begun and not ended.</summary>
    public long InFlight => Volatile.Read(ref _inFlight);

    public void Began(RequestRecord request, HttpContext http) => Interlocked.Increment(ref _inFlight);

    public void Ended(RequestRecord request, TimeSpan total)
    {
        Interlocked.Decrement(ref _inFlight);
        Cells cells = _cells.Of(request);
        cells.Requests.Add(1);
        cells.Total.Observe(total.TotalSeconds);
        cells.Received.Add(request.BytesIn);
        cells.Sent.Add(request.BytesOut);
        if (request.Refusal is { } reason)
        {
            _refusals.Of(new(request.Surface, request.Model ?? "", Reason(reason))).Add(1);
        }
        else if (request.Computed > TimeSpan.Zero)
        {
            PredictionCells predicted = cells.Predictions ??= new PredictionCells(this, new LabelValues(request.Model ?? ""));
            predicted.Queued.Observe(request.Queued.TotalSeconds);
            predicted.Computed.Observe(request.Computed.TotalSeconds);
            predicted.Whole.Observe(total.TotalSeconds);
            predicted.Items.Observe(request.Items);
            if (request.Rows > 0) CountEncrypted(request);
        }
    }

    public void Write(Exposition text, Func<string, bool> sees)
    {
        _requests.Write(text, sees);
        _refusals.Write(text, sees);
        _received.Write(text, sees);
        _sent.Write(text, sees);
        _total.Write(text, sees);
        Predictions.Write(text, sees);
        Queued.Write(text, sees);
        Computed.Write(text, sees);
        _items.Write(text, sees);
        _rows.Write(text, sees);
        _ciphertexts.Write(text, sees);
        text.Single(Prefix + "in_flight", "gauge", "Requests that have begun and not ended.", InFlight);
    }

    private void CountEncrypted(RequestRecord request)
    {
        string model = request.Model ?? "";
        _rows.Of(new(model)).Add(request.Rows);
        _ciphertexts.Of(new(model, "in")).Add(request.CiphertextIn);
        _ciphertexts.Of(new(model, "out")).Add(request.CiphertextOut);
    }

    /// <summary>A refusal's name in the words of metrics: <c>model_not_found</c>.</summary>
    internal static string Reason(ServingError error)
    {
        var text = new StringBuilder();
        foreach (char c in error.ToString())
        {
            if (char.IsAsciiLetterUpper(c) && text.Length > 0) text.Append('_');
            text.Append(char.ToLowerInvariant(c));
        }
        return text.ToString();
    }

    private sealed class Cells(RequestMetrics metrics, SeriesKey key)
    {
        public Counter Requests { get; } = metrics._requests.Of(new(key.Surface, key.Method, key.Model, key.Version == 0 ? "" : key.Version.ToString(CultureInfo.InvariantCulture)));

        public Histogram Total { get; } = metrics._total.Of(new(key.Surface, key.Method, key.Model));

        public Counter Received { get; } = metrics._received.Of(new(key.Surface, key.Model));

        public Counter Sent { get; } = metrics._sent.Of(new(key.Surface, key.Model));

        /// <summary>Null until a request predicted: what never did has no such series.</summary>
        public PredictionCells? Predictions { get; set; }
    }

    private sealed class PredictionCells(RequestMetrics metrics, LabelValues model)
    {
        public Histogram Queued { get; } = metrics.Queued.Of(model);

        public Histogram Computed { get; } = metrics.Computed.Of(model);

        public Histogram Whole { get; } = metrics.Predictions.Of(model);

        public Histogram Items { get; } = metrics._items.Of(model);
    }
}
