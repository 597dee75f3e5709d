using System.Security.Cryptography;
using System.Text.Json;
using Cloister.Coordinator.Rest;
using Cloister.Protocol.Rest;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Recovery;

/// <summary>Takes recovery secrets. Nobody logs in: each secret is signed with its recovery key.</summary>
internal static class RecoveryEndpoints
{
    // MarbleRun's bound.
    private const int MaxBody = 20_480;

    public static void MapRecovery(this IEndpointRouteBuilder routes, RecoveryService service, ILogger logger)
    {
        foreach ((string path, string keyPath, RestSurface surface) in new[]
        {
            (RestPaths.RecoverV3, RestPaths.RecoverPublicKeyV3, RestSurface.V3),
            (RestPaths.RecoverV2, RestPaths.RecoverPublicKeyV2, RestSurface.V2),
        })
        {
            routes.MapRest("POST", path, surface, logger, async http =>
            {
                bool own = surface == RestSurface.V3;
                byte[] bytes = await RequestBody.ReadAsync(http, MaxBody, requireJson: own);
                RecoverRequest body;
                try
                {
                    body = RestJson.Read(bytes, own ? RestJson.Strict.RecoverRequest : RestJson.Lenient.RecoverRequest);
                }
                finally
                {
                    CryptographicOperations.ZeroMemory(bytes);
                }
                RecoveryProgress progress = await service.RecoverAsync(body.RecoverySecret, body.RecoverySecretSignature, asMarbleRun: !own, http.RequestAborted);
                return JsonSerializer.SerializeToUtf8Bytes(JSend.Of(new RecoverResult(progress.Remaining, progress.Message)), RestJson.Strict.JSendRecoverResult);
            });
            routes.MapRest("GET", keyPath, surface, logger, async http => JsonSerializer.SerializeToUtf8Bytes(
                JSend.Of(new RecoveryPublicKey("RSA", await service.PublicKeyAsync(http.RequestAborted))), RestJson.Strict.JSendRecoveryPublicKey));
        }
        routes.MapRest("POST", "/recover", RestSurface.V1, logger, _ => throw new CoordinatorException(CoordinatorError.RecoveryMoved,
            "Recovering the Coordinator using the /recover API endpoint has been disabled. Use the /api/v2/recover endpoint instead."));
    }
}
