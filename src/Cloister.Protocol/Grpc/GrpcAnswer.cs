using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace Cloister.Protocol.Grpc;

/// <summary>Reads one unary answer: HTTP status, body, and the outcome from the trailers (or the headers of an answer without a body).</summary>
internal static class GrpcAnswer
{
    private const int MaxDetailChars = 16 << 10;

    /// <summary>The message of a successful answer.</summary>
    /// <exception cref="GrpcException">Any other answer.</exception>
    public static async Task<byte[]> ReadAsync(HttpResponseMessage response, int maxBytes, CancellationToken cancellation)
    {
        string? type = response.Content.Headers.ContentType?.MediaType;
        if (response.StatusCode != HttpStatusCode.OK || !GrpcHeaders.IsGrpc(type))
            throw new GrpcException(StatusOf(response.StatusCode), $"The server answered HTTP {(int)response.StatusCode} with content type '{type}', not gRPC.");

        byte[] body = await ReadBodyAsync(response, maxBytes, cancellation);
        // An answer without a message may carry its trailers as headers ("Trailers-Only").
        HttpResponseHeaders outcome = response.TrailingHeaders.Contains(GrpcHeaders.Status) ? response.TrailingHeaders : response.Headers;
        if (First(outcome, GrpcHeaders.Status) is not { } code)
            throw new GrpcException(GrpcStatus.Internal, "The answer ended without grpc-status.");
        if (!int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            throw new GrpcException(GrpcStatus.Unknown, "The answer's grpc-status is not a number.");
        if (number != 0)
        {
            GrpcStatus status = Enum.IsDefined((GrpcStatus)number) ? (GrpcStatus)number : GrpcStatus.Unknown;
            string detail = GrpcHeaders.DecodeMessage(First(outcome, GrpcHeaders.Message) ?? "");
            throw new GrpcException(status, detail.Length > MaxDetailChars ? detail[..MaxDetailChars] : detail, Own(outcome));
        }
        return GrpcFrame.ReadSingle(body, First(response.Headers, GrpcHeaders.Encoding), maxBytes, GrpcStatus.Internal);
    }

    /// <summary>The status of a failed exchange, by what HTTP/2 said (grpc/doc/PROTOCOL-HTTP2.md, "Errors").</summary>
    public static GrpcStatus StatusOf(Exception? failure) => failure switch
    {
        HttpProtocolException { ErrorCode: 0x8 } => GrpcStatus.Cancelled,
        HttpProtocolException { ErrorCode: 0xb } => GrpcStatus.ResourceExhausted,
        HttpProtocolException { ErrorCode: 0xc } => GrpcStatus.PermissionDenied,
        HttpProtocolException { ErrorCode: not 0x7 } => GrpcStatus.Internal,
        _ => GrpcStatus.Unavailable,
    };

    // grpc/doc/http-grpc-status-mapping.md
    private static GrpcStatus StatusOf(HttpStatusCode code) => (int)code switch
    {
        400 => GrpcStatus.Internal,
        401 => GrpcStatus.Unauthenticated,
        403 => GrpcStatus.PermissionDenied,
        404 => GrpcStatus.Unimplemented,
        429 or 502 or 503 or 504 => GrpcStatus.Unavailable,
        _ => GrpcStatus.Unknown,
    };

    private static async Task<byte[]> ReadBodyAsync(HttpResponseMessage response, int maxBytes, CancellationToken cancellation)
    {
        await using Stream stream = await response.Content.ReadAsStreamAsync(cancellation);
        var body = new ArrayBufferWriter<byte>();
        bool sized = false;
        while (true)
        {
            Memory<byte> room = body.GetMemory(4096);
            int read = await stream.ReadAsync(room, cancellation);
            if (read == 0) return body.WrittenSpan.ToArray();
            body.Advance(read);
            if (!sized && body.WrittenCount >= GrpcFrame.PrefixBytes)
            {
                GrpcFrame.CheckedLength(body.WrittenSpan[..GrpcFrame.PrefixBytes], maxBytes);
                sized = true;
            }
            if (body.WrittenCount - GrpcFrame.PrefixBytes > maxBytes)
                throw new GrpcException(GrpcStatus.ResourceExhausted, $"The answer is over the limit of {maxBytes} bytes.");
        }
    }

    private static string? First(HttpResponseHeaders headers, string name) =>
        headers.TryGetValues(name, out IEnumerable<string>? values) ? values.FirstOrDefault() : null;

    private static ImmutableDictionary<string, string> Own(HttpResponseHeaders headers)
    {
        ImmutableDictionary<string, string>.Builder own = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach ((string name, IEnumerable<string> values) in headers)
        {
            string lower = name.ToLowerInvariant();
            string value = string.Join(",", values);
            if (GrpcHeaders.IsTrailer(lower, value)) own[lower] = value;
        }
        return own.ToImmutable();
    }
}
