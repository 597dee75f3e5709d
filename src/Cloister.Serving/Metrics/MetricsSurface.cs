using System.Text;
using Cloister.Serving.Callers;
using Cloister.Serving.Status;
using Cloister.Serving.Surfaces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cloister.Serving.Metrics;

/// <summary>Answers with Prometheus' text, under the addresses of the options.</summary>
internal sealed class MetricsSurface(MetricsOptions options, CallerRegistry callers, RequestMetrics requests, TensorFlowMetrics tensorFlow, LoadMetrics loads, StateMetrics state) : IServingSurface
{
    public void Map(IEndpointRouteBuilder routes, PredictionService service)
    {
        foreach (string path in options.Paths.Distinct(StringComparer.OrdinalIgnoreCase)) routes.MapGet(path, AnswerAsync);
    }

    private async Task AnswerAsync(HttpContext http)
    {
        Viewer viewer;
        try
        {
            viewer = Viewer.Of(http, callers, options.Open);
        }
        catch (ServingException refusal)
        {
            await RefuseAsync(http, refusal.Message);
            return;
        }
        if (!viewer.IsNamed)
        {
            await RefuseAsync(http, "Metrics are for callers that the manifest names; send a bearer token or a client certificate.");
            return;
        }
        var text = new Exposition();
        tensorFlow.Write(text, viewer.Sees);
        loads.Write(text, viewer.Sees);
        requests.Write(text, viewer.Sees);
        state.Write(text, viewer.Sees);
        http.Response.ContentType = Exposition.ContentType;
        http.Response.Headers.CacheControl = "no-store";
        await http.Response.BodyWriter.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), http.RequestAborted);
    }

    private static async Task RefuseAsync(HttpContext http, string reason)
    {
        http.Response.StatusCode = StatusCodes.Status401Unauthorized;
        http.Response.ContentType = "text/plain; charset=utf-8";
        http.Response.Headers.WWWAuthenticate = "Bearer realm=\"cloister\"";
        await http.Response.BodyWriter.WriteAsync(Encoding.UTF8.GetBytes(reason + "\n"), http.RequestAborted);
    }
}
