using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cloister.Coordinator.Metrics;

/// <summary>MarbleRun's <c>/metrics</c> and <c>/events</c>, in plain HTTP on a port of their own.</summary>
internal static class MetricsEndpoints
{
    public static void MapMetrics(this IEndpointRouteBuilder routes, PrometheusText metrics, ActivationEvents events)
    {
        routes.MapMethods("/metrics", ["GET"], (RequestDelegate)(http => WriteAsync(http, PrometheusText.ContentType, Encoding.UTF8.GetBytes(metrics.Write()))));
        routes.MapMethods("/events", ["GET"], (RequestDelegate)(http => WriteAsync(http, "application/json", events.ToJson())));
    }

    private static async Task WriteAsync(HttpContext http, string contentType, byte[] body)
    {
        http.Response.ContentType = contentType;
        http.Response.Headers.CacheControl = "no-store";
        http.Response.ContentLength = body.Length;
        await http.Response.Body.WriteAsync(body, http.RequestAborted);
    }
}
