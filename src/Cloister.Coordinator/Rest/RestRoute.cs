using Cloister.Coordinator.Stores;
using Cloister.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Rest;

/// <summary>A group of paths with its own shapes and codes.</summary>
internal enum RestSurface
{
    /// <summary>MarbleRun's v1: paths without a prefix.</summary>
    V1 = 1,
    /// <summary>MarbleRun's v2.</summary>
    V2 = 2,
    /// <summary>Cloister's own.</summary>
    V3 = 3,
}

/// <summary>Maps an operation onto a path; whatever it refuses becomes an answer of the path's surface.</summary>
internal static class RestRoute
{
    /// <param name="routes">Where to map it.</param>
    /// <param name="method">GET or POST.</param>
    /// <param name="path">The path.</param>
    /// <param name="surface">Decides how a refusal looks.</param>
    /// <param name="logger">Where refusals and failures are written.</param>
    /// <param name="answer">Gives the whole body: a JSend envelope.</param>
    public static void MapRest(this IEndpointRouteBuilder routes, string method, string path, RestSurface surface, ILogger logger, Func<HttpContext, Task<byte[]>> answer) =>
        routes.MapMethods(path, [method], (RequestDelegate)(async http =>
        {
            if (surface == RestSurface.V1)
                logger.DeprecatedPath(path);
            try
            {
                // Routing knows no case and forgives a last slash; to Go's mux both are other paths.
                if (!string.Equals(http.Request.Path.Value, path, StringComparison.Ordinal))
                    throw Unknown();
                byte[] body = await answer(http);
                await RestAnswer.WriteAsync(http, StatusCodes.Status200OK, body);
            }
            catch (CoordinatorException refused)
            {
                logger.RequestRefused(method, path, refused.Error, refused.Message);
                await RestAnswer.RefuseAsync(http, surface, refused);
            }
            catch (ProtocolException refused)
            {
                logger.RequestRefused(method, path, CoordinatorError.BadRequest, refused.Message);
                await RestAnswer.RefuseAsync(http, surface, new CoordinatorException(CoordinatorError.BadRequest, refused.Message, refused));
            }
            catch (StoreException failed)
            {
                logger.StorageFailed(method, path, failed.Error, failed);
                await RestAnswer.RefuseAsync(http, surface, new CoordinatorException(CoordinatorError.StorageFailed,
                    $"The state could not be written ({failed.Error}); the coordinator's log says why. Ask for the state before you try again.", failed));
            }
        }));

    /// <summary>Everything else: MarbleRun answers 405 for any path or method it does not know, and its clients fall back from v2 to v1 by that.</summary>
    public static void MapUnknown(this IEndpointRouteBuilder routes) => routes.MapFallback("{*path}", (RequestDelegate)(http =>
        RestAnswer.RefuseAsync(http, http.Request.Path.StartsWithSegments("/api/v3") ? RestSurface.V3 : RestSurface.V2,
            Unknown())));

    private static CoordinatorException Unknown() => new(CoordinatorError.UnknownEndpoint, "No such path, or not with this method.");
}
