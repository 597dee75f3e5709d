using System.Collections.Immutable;
using System.Text.Json;
using Cloister.Protocol.Rest;
using Microsoft.AspNetCore.Http;

namespace Cloister.Coordinator.Rest;

/// <summary>Answers as each surface shapes them.</summary>
internal static class RestAnswer
{
    /// <summary>An operation without data.</summary>
    public static byte[] Nothing { get; } = """{"status":"success","data":null}"""u8.ToArray();

    public static Task WriteAsync(HttpContext http, int code, ReadOnlyMemory<byte> json, string contentType = "application/json")
    {
        http.Response.StatusCode = code;
        http.Response.ContentType = contentType;
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        http.Response.ContentLength = json.Length + 1;
        // Over HTTP/2 what is written would be sent, and a client ends the connection for it.
        if (HttpMethods.IsHead(http.Request.Method))
            return Task.CompletedTask;
        http.Response.BodyWriter.Write(json.Span);
        // Go's encoder ends every body with a line feed, and so do we.
        http.Response.BodyWriter.Write("\n"u8);
        return http.Response.BodyWriter.FlushAsync(http.RequestAborted).AsTask();
    }

    public static Task RefuseAsync(HttpContext http, RestSurface surface, CoordinatorException refused)
    {
        if (http.Response.HasStarted)
        {
            http.Abort();
            return Task.CompletedTask;
        }
        // A body that was not read is not drained either.
        if (refused.Error is CoordinatorError.TooLarge or CoordinatorError.TooSlow && HttpProtocol.IsHttp11(http.Request.Protocol))
            http.Response.Headers.Connection = "close";
        if (surface == RestSurface.V3)
        {
            int code = CodeV3(refused.Error);
            JSend<object> own = code < 500 ? JSend.FailOf(refused.Message, refused.Error.ToString()) : JSend.ErrorOf(refused.Message, refused.Error.ToString());
            return WriteAsync(http, code, JsonSerializer.SerializeToUtf8Bytes(own, RestJson.Strict.JSendObject));
        }
        if (refused.Error == CoordinatorError.NotAuthenticated)
            refused = new CoordinatorException(refused.Error, "unauthorized user: client certificate did not match any MarbleRun users", refused);
        // What a client of v2 can mend is a failure, in JSON; all else, and everything of v1, is an error, in text.
        if (surface == RestSurface.V2 && IsFailure(refused.Error))
            return WriteAsync(http, CodeMarbleRun(http, refused.Error, surface), Failure(refused));
        JSend<object> error = refused.Error == CoordinatorError.UnknownEndpoint ? new JSend<object>(JSend.Error, null) : JSend.ErrorOf(Words(http, refused));
        return WriteAsync(http, CodeMarbleRun(http, refused.Error, surface), JsonSerializer.SerializeToUtf8Bytes(error, RestJson.Strict.JSendObject), "text/plain; charset=utf-8");
    }

    internal static int CodeV3(CoordinatorError error) => error switch
    {
        CoordinatorError.BadRequest or CoordinatorError.ManifestRefused or CoordinatorError.ManifestNotSupported or CoordinatorError.SecretRefused or CoordinatorError.CredentialRefused
            or CoordinatorError.RecoverySecretRefused or CoordinatorError.UpdateRefused or CoordinatorError.QuoteRefused or CoordinatorError.CounterRefused => StatusCodes.Status400BadRequest,
        CoordinatorError.NotAuthenticated or CoordinatorError.WorkloadNotAuthenticated => StatusCodes.Status401Unauthorized,
        CoordinatorError.FeatureDisabled or CoordinatorError.NotPermitted or CoordinatorError.OwnerSignatureRequired or CoordinatorError.OwnerSignatureInvalid or CoordinatorError.NotAnUpdater
            or CoordinatorError.RecoverySignatureInvalid => StatusCodes.Status403Forbidden,
        CoordinatorError.UnknownSecret or CoordinatorError.NoPendingUpdate => StatusCodes.Status404NotFound,
        CoordinatorError.UnknownEndpoint => StatusCodes.Status405MethodNotAllowed,
        CoordinatorError.TooSlow => StatusCodes.Status408RequestTimeout,
        CoordinatorError.WrongState or CoordinatorError.OtherManifest or CoordinatorError.RecoveryFailed or CoordinatorError.UpdateInProgress
            or CoordinatorError.OtherUpdate => StatusCodes.Status409Conflict,
        CoordinatorError.RecoveryMoved => StatusCodes.Status410Gone,
        CoordinatorError.TooLarge => StatusCodes.Status413PayloadTooLarge,
        CoordinatorError.WrongContentType => StatusCodes.Status415UnsupportedMediaType,
        CoordinatorError.Busy or CoordinatorError.NoEvidence or CoordinatorError.EvidenceFailed => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };

    // MarbleRun says no more than this, and its clients' scripts may look for it; our log has the whole reason.
    private static string Words(HttpContext http, CoordinatorException refused) => refused.Error != CoordinatorError.WrongState ? refused.Message
        : http.Request.Path == RestPaths.ManifestV2 && HttpMethods.IsGet(http.Request.Method) ? "requested value not set"
        : "server is not in expected state";

    private static bool IsFailure(CoordinatorError error) => error is CoordinatorError.BadRequest
        or CoordinatorError.QuoteRefused or CoordinatorError.NotAuthenticated or CoordinatorError.WorkloadNotAuthenticated;

    private static byte[] Failure(CoordinatorException refused) => refused.FailedMember is { } member
        ? JsonSerializer.SerializeToUtf8Bytes(
            new JSend<ImmutableDictionary<string, string>>(JSend.Fail, ImmutableDictionary<string, string>.Empty.Add(member.Key, member.Value), refused.Message),
            MarbleRunJson.Lenient.JSendImmutableDictionaryStringString)
        : JsonSerializer.SerializeToUtf8Bytes(JSend.FailOf(refused.Message), RestJson.Strict.JSendObject);

    // MarbleRun's v2 answers most of a client's mistakes with 500; its v1 with 400, but for reading what is not a secret.
    private static int CodeMarbleRun(HttpContext http, CoordinatorError error, RestSurface surface) => error switch
    {
        CoordinatorError.BadRequest or CoordinatorError.QuoteRefused => StatusCodes.Status400BadRequest,
        CoordinatorError.NotAuthenticated or CoordinatorError.WorkloadNotAuthenticated => StatusCodes.Status401Unauthorized,
        CoordinatorError.FeatureDisabled => StatusCodes.Status403Forbidden,
        CoordinatorError.UnknownEndpoint => StatusCodes.Status405MethodNotAllowed,
        CoordinatorError.RecoveryMoved => StatusCodes.Status410Gone,
        CoordinatorError.TooLarge => StatusCodes.Status413PayloadTooLarge,
        CoordinatorError.TooSlow => StatusCodes.Status408RequestTimeout,
        CoordinatorError.NoPendingUpdate => StatusCodes.Status404NotFound,
        CoordinatorError.StorageFailed or CoordinatorError.NoEvidence or CoordinatorError.EvidenceFailed or CoordinatorError.OtherUpdate or CoordinatorError.NotAnUpdater => StatusCodes.Status500InternalServerError,
        _ => surface == RestSurface.V1 && !(HttpMethods.IsGet(http.Request.Method) && http.Request.Path != "/secrets") ? StatusCodes.Status400BadRequest : StatusCodes.Status500InternalServerError,
    };

    private static void Write(this System.IO.Pipelines.PipeWriter writer, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(writer.GetSpan(bytes.Length));
        writer.Advance(bytes.Length);
    }
}
