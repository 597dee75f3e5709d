using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cloister.Coordinator.Rest;
using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Update;

/// <summary>The log of what changed, and updates in Cloister's shapes.</summary>
internal static class UpdateEndpoints
{
    // The largest manifest as base64, with signatures.
    internal const int MaxBody = 6 << 20, MaxNamesBody = 1 << 20;

    public static void MapUpdates(this IEndpointRouteBuilder routes, UpdateService service, SecretAcknowledgement secrets, LiveState state, ILogger logger)
    {
        MapLog(routes, state, logger);
        MapV3(routes, service, secrets, logger);
        MarbleRunUpdateEndpoints.Map(routes, service, logger);
    }

    private static void MapLog(IEndpointRouteBuilder routes, LiveState state, ILogger logger)
    {
        foreach ((string path, RestSurface surface) in new[] { (RestPaths.UpdateV3, RestSurface.V3), (RestPaths.UpdateV2, RestSurface.V2) })
        {
            routes.MapRest("GET", path, surface, logger, _ => Task.FromResult(JsonSerializer.SerializeToUtf8Bytes(
                JSend.Of(new UpdateLogV2(RequireManifest(state.Current).UpdateLog)), RestJson.Strict.JSendUpdateLogV2)));
        }
        routes.MapRest("GET", "/update", RestSurface.V1, logger, _ => Task.FromResult(JsonSerializer.SerializeToUtf8Bytes(
            JSend.Of(string.Join('\n', RequireManifest(state.Current).UpdateLog) + "\n"), MarbleRunJson.Lenient.JSendString)));
    }

    private static void MapV3(IEndpointRouteBuilder routes, UpdateService service, SecretAcknowledgement secrets, ILogger logger)
    {
        routes.MapRest("POST", RestPaths.UpdateV3, RestSurface.V3, logger, async http =>
        {
            UpdateV3 body = await ReadAsync(http, service, RestJson.Strict.UpdateV3, MaxBody);
            ImmutableArray<OwnerSignature> owners = body.OwnerSignatures.IsDefaultOrEmpty
                ? []
                : [.. body.OwnerSignatures.Select(owner => new OwnerSignature(owner.PublicKey, owner.Signature))];
            return Answer(await service.SubmitAsync(Certificate(http), body.Manifest, ManifestDialect.Cloister, owners, http.RequestAborted));
        });
        routes.MapRest("GET", RestPaths.PendingUpdateV3, RestSurface.V3, logger, _ =>
        {
            (PendingUpdate pending, Acknowledgements standing) = service.GetPending();
            var answer = new PendingUpdateV3(pending.Manifest.ToArray(), ManifestFingerprint.Of(pending.Manifest.Span),
                [.. pending.OwnerSignatures.Select(owner => new OwnerSignatureV3(owner.PublicKey.ToArray(), owner.Signature.ToArray()))],
                pending.Acknowledged, standing.Missing, standing.MissingUsers);
            return Task.FromResult(JsonSerializer.SerializeToUtf8Bytes(JSend.Of(answer), RestJson.Strict.JSendPendingUpdateV3));
        });
        routes.MapRest("POST", RestPaths.PendingUpdateV3, RestSurface.V3, logger, async http =>
        {
            AcknowledgeUpdateV3 body = await ReadAsync(http, service, RestJson.Strict.AcknowledgeUpdateV3, MaxBody);
            return Answer(await service.AcknowledgeAsync(Certificate(http), body.Manifest, http.RequestAborted));
        });
        routes.MapRest("POST", RestPaths.CancelUpdateV3, RestSurface.V3, logger, async http =>
        {
            CancelUpdateV3 body = await ReadAsync(http, service, RestJson.Strict.CancelUpdateV3, MaxNamesBody);
            RequireFingerprint(body.Fingerprint, "fingerprint");
            await service.CancelAsync(Certificate(http), body.Fingerprint, http.RequestAborted);
            return RestAnswer.Nothing;
        });
        routes.MapRest("POST", RestPaths.AcknowledgeSecretsV3, RestSurface.V3, logger, async http =>
        {
            AcknowledgeSecretsV3 body = await ReadAsync(http, service, RestJson.Strict.AcknowledgeSecretsV3, MaxNamesBody);
            RequireFingerprint(body.ManifestFingerprint, "manifestFingerprint");
            await secrets.AcknowledgeAsync(Certificate(http), body.ManifestFingerprint, body.Secrets.IsDefault ? [] : body.Secrets, http.RequestAborted);
            return RestAnswer.Nothing;
        });
    }

    // Who is no user is told so before the body is read, as MarbleRun does.
    private static async Task<T> ReadAsync<T>(HttpContext http, UpdateService service, JsonTypeInfo<T> type, int maxBytes)
    {
        service.RequireUser(Certificate(http));
        return RestJson.Read(await RequestBody.ReadAsync(http, maxBytes, requireJson: true), type, maxBytes);
    }

    private static byte[] Answer(UpdateOutcome outcome) => JsonSerializer.SerializeToUtf8Bytes(
        JSend.Of(new UpdateResultV3(outcome.Fingerprint, outcome.Standing.Missing, outcome.Standing.MissingUsers, outcome.RecoverySecrets, outcome.Withheld)),
        RestJson.Strict.JSendUpdateResultV3);

    private static void RequireFingerprint(string fingerprint, string member)
    {
        if (!ManifestFingerprint.IsValid(fingerprint))
            throw new CoordinatorException(CoordinatorError.BadRequest, $"{member} is not 64 lower-case hex digits: name the manifest that you mean.");
    }

    private static CoordinatorSnapshot RequireManifest(CoordinatorSnapshot snapshot) => snapshot.Manifest is not null
        ? snapshot
        : throw new CoordinatorException(CoordinatorError.WrongState, $"There is no update log yet: {StatusText.Of(snapshot.State)}");

    internal static ReadOnlyMemory<byte>? Certificate(HttpContext http) => http.Connection.ClientCertificate?.RawDataMemory;
}
