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
    /// <param name="service">Keeps the request's record; its log is for what no caller should see.</param>
    /// <param name="method">The operation, as in <see cref="RequestRecord.Method"/>.</param>
    public static RequestDelegate Of(Func<HttpContext, Task> handler, SurfaceErrors errors, PredictionService service, string method) => async http =>
    {
        RequestRecord record = service.Begin(http, errors.Surface, method);
        ILogger logger = service.Logger;
        try
        {
            await handler(http);
            record.Status = http.Response.StatusCode;
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
            (record.Refusal, record.Status) = (ServingError.Cancelled, StatusCodes.Status499ClientClosedRequest);
        }
#pragma warning disable CA1031 // A failure of one request must not reach the others; its text may hold what the caller may not see.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            logger.RequestFailed(http.Request.Path, failure);
            await RefuseAsync(http, new ServingException(ServingError.EngineFailed, "The server failed; its log says why."), errors, logger);
        }
        finally
        {
            record.BytesIn = http.Request.ContentLength ?? 0;
            record.BytesOut = http.Response.ContentLength ?? 0;
            service.End(record);
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
        int status = errors.Status(refusal.Error);
        if (RequestRecord.Of(http) is { } record) (record.Refusal, record.Status) = (refusal.Error, status);
        if (refusal.Error == ServingError.Cancelled && http.RequestAborted.IsCancellationRequested)
        {
            logger.CallerGone(http.Request.Path);
            return;
        }
        if (http.Response.HasStarted) return;
        logger.Refused(http.Request.Path, status, (int)refusal.Error);
        if (refusal.RetryAfter is { } wait)
            http.Response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (BearerChallenge.Of(refusal.Error) is { } challenge) http.Response.Headers.WWWAuthenticate = challenge;
        using var json = new JsonOutput();
        errors.Write(json, refusal);
        await SendAsync(http, json, status);
    }
}
