using System.Collections.Immutable;
using System.Text.Json;
using Cloister.Coordinator.Rest;
using Cloister.Coordinator.State;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Manifest;

/// <summary>Reads and sets the manifest on all three surfaces.</summary>
internal static class ManifestEndpoints
{
    // The largest manifest as base64, with signatures.
    private const int MaxBody = 6 << 20;

    public static void MapManifest(this IEndpointRouteBuilder routes, ManifestService service, LiveState state, ILogger logger)
    {
        routes.MapRest("GET", RestPaths.ManifestV3, RestSurface.V3, logger, _ =>
        {
            ManifestInForce manifest = InForce(state);
            var answer = new ManifestV3(manifest.Bytes.ToArray(), manifest.Fingerprint,
                [.. manifest.OwnerSignatures.Select(owner => new OwnerSignatureV3(owner.PublicKey.ToArray(), owner.Signature.ToArray()))]);
            return Task.FromResult(JsonSerializer.SerializeToUtf8Bytes(JSend.Of(answer), RestJson.Strict.JSendManifestV3));
        });
        routes.MapRest("POST", RestPaths.ManifestV3, RestSurface.V3, logger, async http =>
        {
            SetManifestV3 body = RestJson.Read(await RequestBody.ReadAsync(http, MaxBody, requireJson: true), RestJson.Strict.SetManifestV3);
            ImmutableArray<OwnerSignature> owners = body.OwnerSignatures.IsDefaultOrEmpty
                ? []
                : [.. body.OwnerSignatures.Select(owner => new OwnerSignature(owner.PublicKey, owner.Signature))];
            (string fingerprint, ImmutableDictionary<string, byte[]> secrets) = await service.SetAsync(body.Manifest, ManifestDialect.Cloister, owners, http.RequestAborted);
            var answer = new SetManifestResultV3(fingerprint, secrets);
            return JsonSerializer.SerializeToUtf8Bytes(JSend.Of(answer), RestJson.Strict.JSendSetManifestResultV3);
        });
        routes.MapRest("GET", RestPaths.ManifestV2, RestSurface.V2, logger, _ =>
        {
            ManifestInForce manifest = InForce(state);
            var answer = new ManifestV2(manifest.RootSignature.ToArray(), manifest.Fingerprint, manifest.Bytes.ToArray());
            return Task.FromResult(JsonSerializer.SerializeToUtf8Bytes(JSend.Of(answer), RestJson.Strict.JSendManifestV2));
        });
        routes.MapRest("POST", RestPaths.ManifestV2, RestSurface.V2, logger, async http =>
        {
            SetManifestV2 body = RestJson.Read(await RequestBody.ReadAsync(http, MaxBody, requireJson: false), RestJson.Lenient.SetManifestV2);
            (_, ImmutableDictionary<string, byte[]> secrets) = await service.SetAsync(body.Manifest, ManifestDialect.MarbleRun, [], http.RequestAborted);
            return JsonSerializer.SerializeToUtf8Bytes(JSend.Of(new SetManifestResultV2(secrets)), RestJson.Strict.JSendSetManifestResultV2);
        });
        MapV1(routes, service, state, logger);
    }

    private static void MapV1(IEndpointRouteBuilder routes, ManifestService service, LiveState state, ILogger logger)
    {
        routes.MapRest("GET", "/manifest", RestSurface.V1, logger, _ =>
        {
            var answer = state.Current.Manifest is { } manifest
                ? new ManifestV1(manifest.RootSignature.ToArray(), manifest.Fingerprint, manifest.Bytes.ToArray())
                : new ManifestV1(null, "", null);
            return Task.FromResult(JsonSerializer.SerializeToUtf8Bytes(JSend.Of(answer), MarbleRunJson.Lenient.JSendManifestV1));
        });
        routes.MapRest("POST", "/manifest", RestSurface.V1, logger, async http =>
        {
            (_, ImmutableDictionary<string, byte[]> secrets) = await service.SetAsync(
                await RequestBody.ReadAsync(http, MaxBody, requireJson: false), ManifestDialect.MarbleRun, [], http.RequestAborted);
            return secrets.IsEmpty ? RestAnswer.Nothing : JsonSerializer.SerializeToUtf8Bytes(JSend.Of(new SetManifestResultV2(secrets)), RestJson.Strict.JSendSetManifestResultV2);
        });
    }

    private static ManifestInForce InForce(LiveState state) => state.Current.Manifest
        ?? throw new CoordinatorException(CoordinatorError.WrongState, $"There is no manifest: {StatusText.Of(state.Current.State)}");
}
