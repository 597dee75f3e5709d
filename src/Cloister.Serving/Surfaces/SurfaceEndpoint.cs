using Cloister.Serving.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Surfaces;

/// <summary>Runs a surface's handler and turns every refusal into an answer of the surface's own shape.</summary>
internal static class SurfaceEndpoint
{
    /// <summary>Wraps a handler.</summary>
    /// <param name="handler">Answers the request, or throws.</param>
    /// <param name="errors">How the surface says that something went wrong.</param>
    /// <param name="logger">For what no caller should see.</param>
    public static RequestDelegate Of(Func<HttpContext, Task> handler, SurfaceErrors errors, ILogger logger) => async http =>
    {
        try
        {
            await handler(http);
        }
        catch (ServingException refusal)
        {
            await RefuseAsync(http, refusal, errors, logger);
        }
        catch (BadHttpRequestException bad)
        {
            ServingError error = bad.StatusCode switch
            {
                StatusCodes.Status413PayloadTooLarge => ServingError.TooLarge,
                StatusCodes.Status408RequestTimeout => ServingError.IncompleteBody,
                _ => ServingError.InvalidRequest,
            };
            await RefuseAsync(http, new ServingException(error, $"The request was not read: {bad.Message}", bad), errors, logger);
        }
        catch (Exception gone) when (gone is IOException || (gone is OperationCanceledException && http.RequestAborted.IsCancellationRequested))
        {
            // The caller is gone: nobody is left to answer.
            logger.CallerGone(http.Request.Path);
        }
#pragma warning disable CA1031 // A failure of one request must not reach the others; its text may hold what the caller may not see.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            logger.RequestFailed(http.Request.Path, failure);
            await RefuseAsync(http, new ServingException(ServingError.EngineFailed, "The server failed; its log says why."), errors, logger);
        }
    };

    /// <summary>Sends a finished JSON document.</summary>
    public static async Task SendAsync(HttpContext http, JsonOutput json, int status = StatusCodes.Status200OK)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = json.Written.Length;
        await http.Response.BodyWriter.WriteAsync(json.Written, http.RequestAborted);
    }

    private static async Task RefuseAsync(HttpContext http, ServingException refusal, SurfaceErrors errors, ILogger logger)
    {
        if (refusal.Error == ServingError.Cancelled && http.RequestAborted.IsCancellationRequested)
        {
            logger.CallerGone(http.Request.Path);
            return;
        }
        if (http.Response.HasStarted) return;
        int status = errors.Status(refusal.Error);
        logger.Refused(http.Request.Path, status, (int)refusal.Error);
        if (refusal.RetryAfter is { } wait)
            http.Response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (status == StatusCodes.Status401Unauthorized) http.Response.Headers.WWWAuthenticate = "Bearer realm=\"cloister\"";
        using var json = new JsonOutput();
        errors.Write(json, refusal.Message);
        await SendAsync(http, json, status);
    }
}
