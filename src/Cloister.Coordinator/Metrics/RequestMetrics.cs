using System.Collections.Frozen;
using System.Globalization;
using Cloister.Protocol.Grpc;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Cloister.Coordinator.Metrics;

/// <summary>Measures requests around their handlers. A path that is none of ours is counted under <c>/</c>, a method that is none of HTTP's under <c>unknown</c>.</summary>
internal sealed class RequestMetrics
{
    private const string Elsewhere = "/";

    private static readonly FrozenSet<string> Methods =
        FrozenSet.ToFrozenSet(["get", "put", "head", "post", "delete", "connect", "options", "notify", "trace", "patch"], StringComparer.Ordinal);

    private readonly CoordinatorMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly FrozenDictionary<string, string> _paths;

    public RequestMetrics(CoordinatorMetrics metrics, TimeProvider time, IEndpointRouteBuilder routes)
    {
        (_metrics, _time) = (metrics, time);
        _paths = routes.DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().Select(endpoint => endpoint.RoutePattern.RawText)
            .OfType<string>().Where(path => path.StartsWith('/') && !path.Contains('{')).Distinct(StringComparer.Ordinal).ToFrozenDictionary(path => path, StringComparer.Ordinal);
        foreach (string path in _paths.Values.Append(Elsewhere))
            metrics.InFlight.Add(0, Label("path", path));
    }

    public async Task MeasureAsync(HttpContext http, RequestDelegate next)
    {
        KeyValuePair<string, object?> path = Label("path", _paths.GetValueOrDefault(http.Request.Path.Value ?? "", Elsewhere));
        KeyValuePair<string, object?> method = Label("method", http.Request.Method.ToLowerInvariant() is { } name && Methods.Contains(name) ? name : "unknown");
        long requestSize = SizeOf(http.Request), start = _time.GetTimestamp();
        _metrics.InFlight.Add(1, path);
        try
        {
            await next(http);
        }
        finally
        {
            _metrics.InFlight.Add(-1, path);
            _metrics.Requests.Add(1, Label("code", http.Response.StatusCode.ToString(CultureInfo.InvariantCulture)), method, path);
            _metrics.Durations.Record(_time.GetElapsedTime(start).TotalSeconds, method, path);
            _metrics.RequestSizes.Record(requestSize, path);
            _metrics.ResponseSizes.Record(http.Response.ContentLength ?? 0, path);
        }
    }

    public static async Task MeasureGrpcAsync(CoordinatorMetrics metrics, HttpContext http, RequestDelegate next)
    {
        // What is no gRPC is refused before it is a call.
        if (CoordinatorMetrics.GrpcMethodOf(http.Request.Path.Value) is not { } method || http.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) != true)
        {
            await next(http);
            return;
        }
        KeyValuePair<string, object?>[] labels = CoordinatorMetrics.GrpcLabels(method);
        metrics.GrpcStarted.Add(1, labels);
        try
        {
            await next(http);
        }
        finally
        {
            GrpcStatus status = int.TryParse(http.Features.Get<IHttpResponseTrailersFeature>()?.Trailers["grpc-status"].ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out int code)
                ? (GrpcStatus)code : GrpcStatus.Unknown;
            metrics.GrpcReceived.Add(1, labels);
            if (status == GrpcStatus.Ok)
                metrics.GrpcSent.Add(1, labels);
            metrics.GrpcHandled.Add(1, CoordinatorMetrics.GrpcLabels(method, status));
        }
    }

    // About what came, as Prometheus' own handlers reckon it.
    private static long SizeOf(HttpRequest request)
    {
        long size = request.Path.Value?.Length ?? 0;
        size += request.QueryString.Value?.Length ?? 0;
        size += request.Method.Length + request.Protocol.Length;
        foreach ((string name, Microsoft.Extensions.Primitives.StringValues values) in request.Headers)
            foreach (string? value in values)
                size += name.Length + (value?.Length ?? 0);
        return size + (request.ContentLength ?? 0);
    }

    private static KeyValuePair<string, object?> Label(string name, string value) => new(name, value);
}
