using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using System.Reflection;
using Cloister.Coordinator.State;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;

namespace Cloister.Coordinator.Metrics;

/// <summary>The coordinator's instruments, named and labelled as MarbleRun's metrics are. Labels come from fixed sets, but for the bounded UUIDs of <see cref="ActivationMetrics"/>.</summary>
internal sealed class CoordinatorMetrics : IDisposable
{
    private const string NoCommit = "0000000000000000000000000000000000000000";

    // MarbleRun's buckets: seconds, and bytes.
    private static readonly InstrumentAdvice<double> Seconds = new() { HistogramBucketBoundaries = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 5] };
    private static readonly InstrumentAdvice<double> Bytes = new() { HistogramBucketBoundaries = [100, 1000, 2000, 5000, 10000] };
    private static readonly ImmutableArray<string> GrpcMethods = ["Activate", "Challenge"];

    public CoordinatorMetrics(LiveState state)
    {
        Meter = new Meter("Cloister.Coordinator");
        Activations = Meter.CreateCounter<long>("coordinator_marble_activations_total", null, "Number of Marble activation attempts.");
        ActivationSuccesses = Meter.CreateCounter<long>("coordinator_marble_activations_success_total", null, "Number of successful Marble activations.");
        Requests = Meter.CreateCounter<long>("server_client_api_http_request_total", null, "Total number of requests received.");
        Durations = Meter.CreateHistogram<double>("server_client_api_http_request_duration_histogram_seconds", null, "Request time duration.", null, Seconds);
        RequestSizes = Meter.CreateHistogram<double>("server_client_api_http_request_size_histogram_bytes", null, "Request size in byte.", null, Bytes);
        ResponseSizes = Meter.CreateHistogram<double>("server_client_api_http_response_size_histogram_bytes", null, "Response size in byte.", null, Bytes);
        InFlight = Meter.CreateUpDownCounter<long>("server_client_api_http_in_flight_requests", null, "Number of http requests which are currently running.");
        GrpcStarted = Meter.CreateCounter<long>("grpc_server_started_total", null, "Total number of RPCs started on the server.");
        GrpcHandled = Meter.CreateCounter<long>("grpc_server_handled_total", null, "Total number of RPCs completed on the server, regardless of success or failure.");
        GrpcReceived = Meter.CreateCounter<long>("grpc_server_msg_received_total", null, "Total number of RPC stream messages received on the server.");
        GrpcSent = Meter.CreateCounter<long>("grpc_server_msg_sent_total", null, "Total number of gRPC stream messages sent by the server.");
        Meter.CreateObservableGauge("coordinator_state", () => (long)state.Current.State, null, "State of the Coordinator.");
        // As in MarbleRun the value says nothing; the labels do.
        Measurement<long> version = new(0, new KeyValuePair<string, object?>("commit", Commit), new KeyValuePair<string, object?>("version", Version));
        Meter.CreateObservableGauge("coordinator_version_info", () => version, null, "Version information of the coordinator.");
    }

    /// <summary>All instruments are of this one.</summary>
    public Meter Meter { get; }

    public Counter<long> Activations { get; }

    public Counter<long> ActivationSuccesses { get; }

    public Counter<long> Requests { get; }

    public Histogram<double> Durations { get; }

    public Histogram<double> RequestSizes { get; }

    public Histogram<double> ResponseSizes { get; }

    public UpDownCounter<long> InFlight { get; }

    public Counter<long> GrpcStarted { get; }

    public Counter<long> GrpcHandled { get; }

    public Counter<long> GrpcReceived { get; }

    public Counter<long> GrpcSent { get; }

    private static string Version => typeof(CoordinatorMetrics).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    // The build writes it behind the version, after a plus.
    private static string Commit => typeof(CoordinatorMetrics).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+') is [_, { Length: > 0 } commit] ? commit : NoCommit;

    /// <summary>Makes the series of all methods and outcomes, so that the first failure of a kind is a step from 0.</summary>
    public void InitializeGrpc()
    {
        foreach (string method in GrpcMethods)
        {
            GrpcStarted.Add(0, GrpcLabels(method));
            GrpcReceived.Add(0, GrpcLabels(method));
            GrpcSent.Add(0, GrpcLabels(method));
            foreach (GrpcStatus status in Enum.GetValues<GrpcStatus>())
                GrpcHandled.Add(0, GrpcLabels(method, status));
        }
    }

    /// <summary>The method that a path names; null for any other.</summary>
    public static string? GrpcMethodOf(string? path) => path switch
    {
        MarbleService.ActivatePath => "Activate",
        MarbleService.ChallengePath => "Challenge",
        _ => null,
    };

    public static KeyValuePair<string, object?>[] GrpcLabels(string method, GrpcStatus? status = null)
    {
        KeyValuePair<string, object?>[] labels = [new("grpc_method", method), new("grpc_service", "rpc.Marble"), new("grpc_type", "unary")];
        return status is { } code ? [new("grpc_code", NameOf(code)), .. labels] : labels;
    }

    // Go's names of the codes.
    private static string NameOf(GrpcStatus status) => status switch
    {
        GrpcStatus.Ok => "OK",
        GrpcStatus.Cancelled => "Canceled",
        _ when Enum.IsDefined(status) => status.ToString(),
        _ => nameof(GrpcStatus.Unknown),
    };

    public void Dispose() => Meter.Dispose();
}
