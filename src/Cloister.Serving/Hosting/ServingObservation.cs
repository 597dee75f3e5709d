using Cloister.Serving.AccessLog;
using Cloister.Serving.Callers;
using Cloister.Serving.Metrics;
using Cloister.Serving.Repository;
using Cloister.Serving.Status;
using Cloister.Serving.Surfaces;
using Cloister.Serving.Tracing;
using Microsoft.Extensions.Logging;

namespace Cloister.Serving;

/// <summary>What watches a server: metrics, traces, the access log, and the pages that show them.</summary>
internal sealed class ServingObservation : IAsyncDisposable
{
    private readonly RequestTracing _tracing;
    private readonly ServingMeter _meter = new();
    private readonly AccessLogFile? _accessLog;

    /// <exception cref="IOException">The access log cannot be written.</exception>
    public ServingObservation(InferenceOptions options, ModelRepository repository, LoadMetrics loads, CallerRegistry callers, IServingIdentity identity, TimeProvider time, ILogger<ServingObservation> logger)
    {
        _tracing = new RequestTracing(time);
        _accessLog = options.AccessLogFile is { } path ? new AccessLogFile(path, time, logger) : null;
        var requests = new RequestMetrics();
        var tensorFlow = new TensorFlowMetrics();
        var state = new StateMetrics(repository, identity.Simulated, _accessLog);
        Observers = _accessLog is null ? [requests, tensorFlow, _meter, _tracing] : [requests, tensorFlow, _meter, _accessLog, _tracing];
        var surfaces = new List<IServingSurface>();
        if (options.Metrics is { } metrics) surfaces.Add(new MetricsSurface(metrics, callers, requests, tensorFlow, loads, state));
        if (options.StatusPage is { } status) surfaces.Add(new StatusSurface(status, callers, new StatusPage(repository, requests, identity.Simulated), time));
        Surfaces = surfaces;
    }

    /// <summary>Told of every request.</summary>
    public IReadOnlyList<IServingObserver> Observers { get; }

    /// <summary>The pages.</summary>
    public IReadOnlyList<IServingSurface> Surfaces { get; }

    public async ValueTask DisposeAsync()
    {
        _tracing.Dispose();
        _meter.Dispose();
        if (_accessLog is not null) await _accessLog.DisposeAsync();
    }
}
