using System.Text.Json;
using Cloister.Coordinator.Quote;
using Cloister.Coordinator.Rest;
using Cloister.Coordinator.State;
using Cloister.Protocol.Rest;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Status;

/// <summary>What the coordinator waits for.</summary>
internal static class StatusEndpoints
{
    private static readonly string Version = typeof(StatusEndpoints).Assembly.GetName().Version?.ToString(3) ?? "";

    public static void MapStatus(this IEndpointRouteBuilder routes, LiveState state, EvidenceSource evidence, bool simulation, ILogger logger)
    {
        routes.MapRest("GET", RestPaths.StatusV3, RestSurface.V3, logger, _ =>
        {
            CoordinatorState now = state.Current.State;
            var status = new StatusV3((int)now, StatusText.Of(now, simulation), simulation || evidence.Simulated, Version);
            return Task.FromResult(JsonSerializer.SerializeToUtf8Bytes(JSend.Of(status), RestJson.Strict.JSendStatusV3));
        });
        routes.MapRest("GET", RestPaths.StatusV2, RestSurface.V2, logger, _ =>
        {
            CoordinatorState now = state.Current.State;
            return Task.FromResult(JsonSerializer.SerializeToUtf8Bytes(JSend.Of(new StatusV2((int)now, StatusText.Of(now, simulation))), RestJson.Strict.JSendStatusV2));
        });
        routes.MapRest("GET", "/status", RestSurface.V1, logger, _ =>
        {
            CoordinatorState now = state.Current.State;
            return Task.FromResult(JsonSerializer.SerializeToUtf8Bytes(JSend.Of(new StatusV1((int)now, StatusText.Of(now, simulation))), MarbleRunJson.Lenient.JSendStatusV1));
        });
    }
}
