using System.Text.Json;
using Cloister.Coordinator.Rest;
using Cloister.Coordinator.State;
using Cloister.Protocol.Rest;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Update;

/// <summary>The log of what changed.</summary>
internal static class UpdateEndpoints
{
    public static void MapUpdateLog(this IEndpointRouteBuilder routes, LiveState state, ILogger logger)
    {
        foreach ((string path, RestSurface surface) in new[] { ("/api/v3/update", RestSurface.V3), ("/api/v2/update", RestSurface.V2) })
        {
            routes.MapRest("GET", path, surface, logger, _ => Task.FromResult(JsonSerializer.SerializeToUtf8Bytes(
                JSend.Of(new UpdateLogV2(RequireManifest(state.Current).UpdateLog)), RestJson.Strict.JSendUpdateLogV2)));
        }
        routes.MapRest("GET", "/update", RestSurface.V1, logger, _ => Task.FromResult(JsonSerializer.SerializeToUtf8Bytes(
            JSend.Of(string.Join('\n', RequireManifest(state.Current).UpdateLog) + "\n"), MarbleRunJson.Lenient.JSendString)));
    }

    private static CoordinatorSnapshot RequireManifest(CoordinatorSnapshot snapshot) => snapshot.Manifest is not null
        ? snapshot
        : throw new CoordinatorException(CoordinatorError.WrongState, $"There is no update log yet: {StatusText.Of(snapshot.State)}");
}
