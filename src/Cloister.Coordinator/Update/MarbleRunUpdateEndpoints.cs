using System.Collections.Immutable;
using System.Text.Json;
using Cloister.Coordinator.Rest;
using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Update;

/// <summary>Updates in the shapes and words of MarbleRun's v1 and v2.</summary>
internal static class MarbleRunUpdateEndpoints
{
    private const string Applied = "All users have acknowledged the update manifest. Update successfully applied", Cancelled = "Update successfully cancelled";

    public static void Map(IEndpointRouteBuilder routes, UpdateService service, ILogger logger)
    {
        MapV2(routes, service, logger);
        MapV1(routes, service, logger);
        // MarbleRun gives the pending update in the same shape on both.
        foreach ((string path, RestSurface surface) in new[] { (RestPaths.PendingUpdateV2, RestSurface.V2), ("/update-manifest", RestSurface.V1) })
        {
            routes.MapRest("GET", path, surface, logger, _ =>
            {
                (PendingUpdate pending, Acknowledgements standing) = service.GetPending();
                var answer = new PendingUpdateV2(pending.Manifest.ToArray(), Missing(standing.Missing), Users(standing));
                return Task.FromResult(JsonSerializer.SerializeToUtf8Bytes(JSend.Of(answer), RestJson.Strict.JSendPendingUpdateV2));
            });
        }
    }

    private static void MapV2(IEndpointRouteBuilder routes, UpdateService service, ILogger logger)
    {
        routes.MapRest("POST", RestPaths.UpdateV2, RestSurface.V2, logger, async http =>
        {
            UpdateOutcome outcome = await service.SubmitAsync(UpdateEndpoints.Certificate(http), await ReadAsync(http, service), ManifestDialect.MarbleRun, [], http.RequestAborted);
            var answer = new UpdateResultV2(outcome.Standing.Missing, Users(outcome.Standing), Secrets(outcome));
            return JsonSerializer.SerializeToUtf8Bytes(JSend.Of(answer), RestJson.Strict.JSendUpdateResultV2);
        });
        routes.MapRest("POST", RestPaths.PendingUpdateV2, RestSurface.V2, logger, async http =>
        {
            UpdateOutcome outcome = await service.AcknowledgeAsync(UpdateEndpoints.Certificate(http), await ReadAsync(http, service), http.RequestAborted);
            string message = outcome.Standing.Missing == 0
                ? Applied
                : $"{Missing(outcome.Standing.Missing)}.\nThe following users have not yet accepted: {string.Join(", ", outcome.Standing.MissingUsers)}";
            var answer = new AcknowledgeResultV2(message, Users(outcome.Standing), outcome.Standing.Missing, Secrets(outcome));
            return JsonSerializer.SerializeToUtf8Bytes(JSend.Of(answer), RestJson.Strict.JSendAcknowledgeResultV2);
        });
        routes.MapRest("POST", RestPaths.CancelUpdateV2, RestSurface.V2, logger, async http =>
        {
            service.RequireMarbleRunUser(UpdateEndpoints.Certificate(http));
            await service.CancelAsync(UpdateEndpoints.Certificate(http), null, http.RequestAborted);
            return JsonSerializer.SerializeToUtf8Bytes(JSend.Of(new CancelResultV2(Cancelled)), RestJson.Strict.JSendCancelResultV2);
        });
    }

    private static void MapV1(IEndpointRouteBuilder routes, UpdateService service, ILogger logger)
    {
        routes.MapRest("POST", "/update", RestSurface.V1, logger, async http =>
        {
            service.RequireMarbleRunUser(UpdateEndpoints.Certificate(http));
            await service.SubmitAsync(UpdateEndpoints.Certificate(http), await ReadRawAsync(http), ManifestDialect.MarbleRun, [], http.RequestAborted);
            return RestAnswer.Nothing;
        });
        routes.MapRest("POST", "/update-manifest", RestSurface.V1, logger, async http =>
        {
            service.RequireMarbleRunUser(UpdateEndpoints.Certificate(http));
            UpdateOutcome outcome = await service.AcknowledgeAsync(UpdateEndpoints.Certificate(http), await ReadRawAsync(http), http.RequestAborted);
            return Text(outcome.Standing.Missing == 0 ? Applied : Missing(outcome.Standing.Missing));
        });
        routes.MapRest("POST", "/update-cancel", RestSurface.V1, logger, async http =>
        {
            service.RequireMarbleRunUser(UpdateEndpoints.Certificate(http));
            await service.CancelAsync(UpdateEndpoints.Certificate(http), null, http.RequestAborted);
            return Text(Cancelled);
        });
    }

    private static async Task<byte[]> ReadAsync(HttpContext http, UpdateService service)
    {
        service.RequireMarbleRunUser(UpdateEndpoints.Certificate(http));
        return RestJson.Read(await ReadRawAsync(http), RestJson.Lenient.UpdateV2, UpdateEndpoints.MaxBody).Manifest;
    }

    private static Task<byte[]> ReadRawAsync(HttpContext http) => RequestBody.ReadAsync(http, UpdateEndpoints.MaxBody, requireJson: false);

    private static byte[] Text(string message) => JsonSerializer.SerializeToUtf8Bytes(JSend.Of(message), MarbleRunJson.Lenient.JSendString);

    private static string Missing(int count) => count == 1 ? "1 user still needs to acknowledge the update manifest" : $"{count} users still need to acknowledge the update manifest";

    // Go writes a slice that was never filled as null.
    private static ImmutableArray<string>? Users(Acknowledgements standing) => standing.Missing == 0 || standing.MissingUsers.IsEmpty ? null : (ImmutableArray<string>?)standing.MissingUsers;

    private static ImmutableDictionary<string, byte[]>? Secrets(UpdateOutcome outcome) => outcome.RecoverySecrets.IsEmpty ? null : outcome.RecoverySecrets;
}
