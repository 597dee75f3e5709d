using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Cloister.Protocol.Grpc;

/// <summary>The fixed parts of a gRPC answer: HTTP 200 always, the outcome in the trailers.</summary>
internal static class GrpcResponse
{
    public static void Begin(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = GrpcHeaders.ContentType;
        response.Headers[GrpcHeaders.AcceptEncoding] = GrpcEncodings.Accepted;
    }

    public static void AppendStatus(HttpResponse response, GrpcStatus status, string? detail, IEnumerable<KeyValuePair<string, string>>? trailers = null)
    {
        response.AppendTrailer(GrpcHeaders.Status, status == GrpcStatus.Ok ? "0" : ((int)status).ToString(CultureInfo.InvariantCulture));
        if (!string.IsNullOrEmpty(detail)) response.AppendTrailer(GrpcHeaders.Message, GrpcHeaders.EncodeMessage(detail));
        if (trailers is null) return;
        foreach ((string name, string value) in trailers)
            response.AppendTrailer(name, value);
    }

    public static void AppendRefusal(HttpResponse response, GrpcException refusal)
    {
        AppendStatus(response, refusal.Status, refusal.Detail, refusal.Trailers);
        if (!refusal.StatusDetails.IsEmpty) response.AppendTrailer(GrpcHeaders.StatusDetails, Convert.ToBase64String(refusal.StatusDetails.Span).TrimEnd('='));
        if (refusal.RetryAfter is { } wait)
            response.AppendTrailer(GrpcHeaders.RetryPushback, Math.Max(0, (long)Math.Ceiling(wait.TotalMilliseconds)).ToString(CultureInfo.InvariantCulture));
    }
}
