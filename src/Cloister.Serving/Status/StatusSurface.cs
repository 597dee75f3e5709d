using System.Text;
using Cloister.Serving.Callers;
using Cloister.Serving.Surfaces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cloister.Serving.Status;

/// <summary>Answers with the status page.</summary>
internal sealed class StatusSurface(StatusPageOptions options, CallerRegistry callers, StatusPage page, TimeProvider time) : IServingSurface
{
    public void Map(IEndpointRouteBuilder routes, PredictionService service) => routes.MapGet(StatusPageOptions.Path, AnswerAsync);

    private async Task AnswerAsync(HttpContext http)
    {
        Viewer viewer;
        try
        {
            viewer = Viewer.Of(http, callers, options.Open);
        }
        catch (ServingException)
        {
            // A token that is not right shows no more than none.
            viewer = new Viewer(false, _ => false);
        }
        IHeaderDictionary headers = http.Response.Headers;
        headers.ContentType = "text/html; charset=utf-8";
        headers.ContentSecurityPolicy = StatusStyle.Policy;
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        await http.Response.BodyWriter.WriteAsync(Encoding.UTF8.GetBytes(page.Write(viewer, time.GetUtcNow())), http.RequestAborted);
    }
}
