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
        response.Headers[GrpcHeaders.AcceptEncoding] = GrpcHeaders.AcceptedEncodings;
    }

    public static void AppendStatus(HttpResponse response, GrpcStatus status, string? detail, IEnumerable<KeyValuePair<string, string>>? trailers = null)
    {
        response.AppendTrailer(GrpcHeaders.Status, ((int)status).ToString(CultureInfo.InvariantCulture));
        if (!string.IsNullOrEmpty(detail)) response.AppendTrailer(GrpcHeaders.Message, GrpcHeaders.EncodeMessage(detail));
        foreach ((string name, string value) in trailers ?? [])
            response.AppendTrailer(name, value);
    }
}
