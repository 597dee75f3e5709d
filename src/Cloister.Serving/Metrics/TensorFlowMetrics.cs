using Cloister.Protocol.Grpc;
using Cloister.Serving.Surfaces;

namespace Cloister.Serving.Metrics;

/// <summary>
/// TF Serving's metrics under its names, labels, units and bounds, so that its dashboards go on to work (tensorflow/serving,
/// servables/tensorflow/util.cc). They count what came over TF Serving's protocols, as its do.
/// </summary>
internal sealed class TensorFlowMetrics : IServingObserver
{
    private const string Prefix = ":tensorflow:serving:";

    private static readonly double[] Latencies = Histogram.Exponential(10, 1.8, 33);

    private readonly CounterFamily _requests = new(Prefix + "request_count", "The total number of requests.", "model_name", "status");
    private readonly HistogramFamily _requestLatency = new(Prefix + "request_latency", "Distribution of wall time (in microseconds) of requests.", Latencies, "model_name", "API", "entrypoint");
    private readonly HistogramFamily _runtimeLatency = new(Prefix + "runtime_latency", "Distribution of wall time (in microseconds) of the engine.", Latencies, "model_name", "API", "runtime");
    private readonly CounterFamily _examples = new(Prefix + "request_example_count_total", "The total number of tensorflow.Examples.", "model");
    private readonly HistogramFamily _examplesARequest = new(Prefix + "request_example_counts", "The number of tensorflow.Examples per request.", Histogram.Exponential(1, 2, 15), "model");

    private readonly SeriesCache<Cells> _cells;

    public TensorFlowMetrics() => _cells = new SeriesCache<Cells>(key => new Cells(
        _requests.Of(new(key.Model, "OK")), _requestLatency.Of(new(key.Model, key.Method, key.Surface == "tensorflow-grpc" ? "GRPC" : "REST"))));

    public void Ended(RequestRecord request, TimeSpan total)
    {
        if (!request.Surface.StartsWith("tensorflow-", StringComparison.Ordinal)) return;
        string model = request.Model ?? "";
        if (request.Refusal is not null)
        {
            _requests.Of(new(model, Status(request))).Add(1);
            return;
        }
        Cells cells = _cells.Of(request);
        cells.Requests.Add(1);
        cells.Latency.Observe(total.TotalMicroseconds);
        if (request.Computed == TimeSpan.Zero) return;
        (cells.Runtime ??= _runtimeLatency.Of(new(model, request.Method, "ONNXRuntime"))).Observe(request.Computed.TotalMicroseconds);
        if (request.Method.Equals("predict", StringComparison.OrdinalIgnoreCase)) return;
        _examples.Of(new(model)).Add(request.Items);
        _examplesARequest.Of(new(model)).Observe(request.Items);
    }

    public void Write(Exposition text, Func<string, bool> sees)
    {
        _requests.Write(text, sees);
        _requestLatency.Write(text, sees);
        _runtimeLatency.Write(text, sees);
        _examples.Write(text, sees);
        _examplesARequest.Write(text, sees);
    }

    /// <summary>The canonical code's name, as TF Serving's <c>error::Code_Name</c> gives it.</summary>
    internal static string Status(RequestRecord request)
    {
        GrpcStatus status = request.Refusal is { } error ? GrpcStatuses.Of(error) : GrpcStatus.Ok;
        return status switch
        {
            GrpcStatus.Ok => "OK",
            GrpcStatus.Cancelled => "CANCELLED",
            GrpcStatus.InvalidArgument => "INVALID_ARGUMENT",
            GrpcStatus.DeadlineExceeded => "DEADLINE_EXCEEDED",
            GrpcStatus.NotFound => "NOT_FOUND",
            GrpcStatus.PermissionDenied => "PERMISSION_DENIED",
            GrpcStatus.ResourceExhausted => "RESOURCE_EXHAUSTED",
            GrpcStatus.Unimplemented => "UNIMPLEMENTED",
            GrpcStatus.Internal => "INTERNAL",
            GrpcStatus.Unavailable => "UNAVAILABLE",
            GrpcStatus.Unauthenticated => "UNAUTHENTICATED",
            _ => "UNKNOWN",
        };
    }

    private sealed class Cells(Counter requests, Histogram latency)
    {
        public Counter Requests { get; } = requests;

        public Histogram Latency { get; } = latency;

        /// <summary>Null until a request predicted.</summary>
        public Histogram? Runtime { get; set; }
    }
}
