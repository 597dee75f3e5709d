using Cloister.Serving;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Cloister.Cli.CommandLine;

/// <summary>Sends a server's spans and figures to an OpenTelemetry collector where the standard OTEL_* variables name one; they say the rest as well.</summary>
internal sealed class Telemetry : IDisposable
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT", TracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", MetricsEndpoint = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";

    private readonly TracerProvider? _traces;
    private readonly MeterProvider? _metrics;

    private Telemetry(TracerProvider? traces, MeterProvider? metrics) => (_traces, _metrics) = (traces, metrics);

    public static Telemetry FromEnvironment()
    {
        bool disabled = string.Equals(Environment.GetEnvironmentVariable("OTEL_SDK_DISABLED"), "true", StringComparison.OrdinalIgnoreCase);
        return new Telemetry(
            !disabled && IsSet(TracesEndpoint) && !IsNone("OTEL_TRACES_EXPORTER") ? Sdk.CreateTracerProviderBuilder().AddSource(ServingTelemetry.ActivitySource).AddOtlpExporter().Build() : null,
            !disabled && IsSet(MetricsEndpoint) && !IsNone("OTEL_METRICS_EXPORTER") ? Sdk.CreateMeterProviderBuilder().AddMeter(ServingTelemetry.Meter).AddOtlpExporter().Build() : null);
    }

    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
    }

    private static bool IsSet(string signal) => new[] { Endpoint, signal }.Any(variable => Environment.GetEnvironmentVariable(variable) is { Length: > 0 });

    private static bool IsNone(string variable) => Environment.GetEnvironmentVariable(variable) == "none";
}
