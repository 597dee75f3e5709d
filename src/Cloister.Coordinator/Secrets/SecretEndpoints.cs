using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cloister.Coordinator.Rest;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Secrets;

/// <summary>Uploads and reads users' secrets on all three surfaces.</summary>
internal static class SecretEndpoints
{
    private const int MaxBody = 8 << 20;

    public static void MapSecrets(this IEndpointRouteBuilder routes, SecretService service, ILogger logger)
    {
        routes.MapRest("POST", RestPaths.SecretsV3, RestSurface.V3, logger, async http =>
        {
            UploadSecretsV3 body = await ReadAsync(http, RestJson.Strict.UploadSecretsV3, requireJson: true);
            if (!ManifestFingerprint.IsValid(body.ManifestFingerprint))
                throw new CoordinatorException(CoordinatorError.BadRequest, "manifestFingerprint is not 64 lower-case hex digits: name the manifest that you verified.");
            await service.SetAsync(Certificate(http), body.Secrets, body.ManifestFingerprint, http.RequestAborted);
            return RestAnswer.Nothing;
        });
        routes.MapRest("GET", RestPaths.SecretsV3, RestSurface.V3, logger, http =>
            Task.FromResult(Answer(service, http, secrets => JsonSerializer.SerializeToUtf8Bytes(JSend.Of(new SecretsV3(secrets)), RestJson.Strict.JSendSecretsV3))));
        routes.MapRest("POST", RestPaths.SecretsV2, RestSurface.V2, logger, async http =>
        {
            service.RequireUser(Certificate(http));
            UploadSecretsV2 body = await ReadAsync(http, RestJson.Lenient.UploadSecretsV2, requireJson: false);
            await service.SetAsync(Certificate(http), body.Secrets, null, http.RequestAborted);
            return RestAnswer.Nothing;
        });
        routes.MapRest("GET", RestPaths.SecretsV2, RestSurface.V2, logger, http =>
        {
            service.RequireUser(Certificate(http));
            return Task.FromResult(Answer(service, http, secrets => JsonSerializer.SerializeToUtf8Bytes(JSend.Of(new SecretsV2(secrets)), RestJson.Strict.JSendSecretsV2)));
        });
        routes.MapRest("POST", "/secrets", RestSurface.V1, logger, async http =>
        {
            service.RequireUser(Certificate(http));
            var secrets = await ReadAsync(http, MarbleRunJson.Lenient.ImmutableDictionaryStringSecretValue, requireJson: false);
            await service.SetAsync(Certificate(http), secrets, null, http.RequestAborted);
            return RestAnswer.Nothing;
        });
        routes.MapRest("GET", "/secrets", RestSurface.V1, logger, http =>
        {
            service.RequireUser(Certificate(http));
            return Task.FromResult(Answer(service, http, secrets => JsonSerializer.SerializeToUtf8Bytes(JSend.Of(secrets), MarbleRunJson.Lenient.JSendImmutableDictionaryStringSecretReading)));
        });
    }

    private static async Task<T> ReadAsync<T>(HttpContext http, JsonTypeInfo<T> type, bool requireJson)
    {
        byte[] body = await RequestBody.ReadAsync(http, MaxBody, requireJson);
        try
        {
            return RestJson.Read(body, type, MaxBody);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(body);
        }
    }

    // Copies of the values, and the body once it was written, are zeroed.
    private static byte[] Answer(SecretService service, HttpContext http, Func<ImmutableDictionary<string, SecretReading>, byte[]> write)
    {
        ImmutableDictionary<string, SecretReading> secrets = service.Get(Certificate(http), [.. http.Request.Query["s"].Select(name => name ?? "")]);
        byte[] body = write(secrets);
        foreach (SecretReading secret in secrets.Values)
            CryptographicOperations.ZeroMemory(secret.Private);
        http.Response.OnCompleted(() =>
        {
            CryptographicOperations.ZeroMemory(body);
            return Task.CompletedTask;
        });
        return body;
    }

    // The certificate whose key the TLS handshake proved; others that came with it prove nothing.
    private static ReadOnlyMemory<byte>? Certificate(HttpContext http) => http.Connection.ClientCertificate?.RawDataMemory;
}
