using Cloister.Coordinator.State;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cloister.Coordinator.Metrics;

/// <summary>All that is measured of one coordinator, and where it is read.</summary>
internal sealed class Measurements : IDisposable
{
    private readonly CoordinatorMetrics _metrics;
    private readonly PrometheusText _text;
    private readonly ActivationEvents _events;
    private readonly TimeProvider _time;

    public Measurements(LiveState state, TimeProvider time)
    {
        _time = time;
        _metrics = new CoordinatorMetrics(state);
        _text = new PrometheusText(_metrics.Meter);
        _events = new ActivationEvents(time);
        Activations = new ActivationMetrics(_metrics, _events);
        _metrics.InitializeGrpc();
    }

    public ActivationMetrics Activations { get; }

    /// <summary>Measures the requests of the client API, whose paths are mapped already.</summary>
    public Func<HttpContext, RequestDelegate, Task> AroundRequests(IEndpointRouteBuilder routes) => new RequestMetrics(_metrics, _time, routes).MeasureAsync;

    /// <summary>Measures the calls of the mesh port.</summary>
    public Func<HttpContext, RequestDelegate, Task> AroundCalls(IEndpointRouteBuilder routes) => (http, next) => RequestMetrics.MeasureGrpcAsync(_metrics, http, next);

    public void Map(IEndpointRouteBuilder routes) => routes.MapMetrics(_text, _events);

    public void Dispose()
    {
        _text.Dispose();
        _metrics.Dispose();
    }
}
