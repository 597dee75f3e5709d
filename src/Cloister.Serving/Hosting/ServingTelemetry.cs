namespace Cloister.Serving;

/// <summary>Under which names a server tells what it does inside its process: for OpenTelemetry and the like.</summary>
public static class ServingTelemetry
{
    /// <summary>The activity source of requests' spans.</summary>
    public const string ActivitySource = Tracing.RequestTracing.Name;

    /// <summary>The meter of requests' figures.</summary>
    public const string Meter = Metrics.ServingMeter.Name;
}
