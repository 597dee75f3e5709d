using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Google.Protobuf;

namespace Cloister.Protocol.Grpc;

/// <summary>Reads one unary answer: HTTP status, body, and the outcome from the trailers (or the headers of an answer without a body).</summary>
internal static class GrpcAnswer
{
    private const int MaxDetailChars = 16 << 10;

    /// <summary>The message of a successful answer. What it was read from is cleared.</summary>
    /// <exception cref="GrpcException">Any other answer.</exception>
    public static async Task<T> ReadAsync<T>(HttpResponseMessage response, MessageParser<T> parser, int maxBytes, CancellationToken cancellation)
        where T : IMessage<T>
    {
        string? type = response.Content.Headers.ContentType?.MediaType;
        if (response.StatusCode != HttpStatusCode.OK || !GrpcHeaders.IsGrpc(type))
            throw new GrpcException(StatusOf(response.StatusCode), $"The server answered HTTP {(int)response.StatusCode} with content type '{type}', not gRPC.");

        byte[] body = await ReadBodyAsync(response, maxBytes, cancellation);
        try
        {
            RequireSuccess(response);
            // Without the one byte that was room for too much.
            ReadOnlyMemory<byte> whole = body.Length > GrpcFrame.PrefixBytes ? body.AsMemory(..^1) : body;
            using GrpcPayload payload = GrpcFrame.ReadSingle(
                new ReadOnlySequence<byte>(whole), First(response.Headers, GrpcHeaders.Encoding), maxBytes, GrpcStatus.Internal);
            return parser.ParseFrom(payload.Message);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(body);
        }
    }

    private static void RequireSuccess(HttpResponseMessage response)
    {
        // An answer without a message may carry its trailers as headers ("Trailers-Only").
        HttpResponseHeaders outcome = response.TrailingHeaders.Contains(GrpcHeaders.Status) ? response.TrailingHeaders : response.Headers;
        if (First(outcome, GrpcHeaders.Status) is not { } code)
            throw new GrpcException(GrpcStatus.Internal, "The answer ended without grpc-status.");
        if (!int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            throw new GrpcException(GrpcStatus.Unknown, "The answer's grpc-status is not a number.");
        if (number == 0) return;
        GrpcStatus status = Enum.IsDefined((GrpcStatus)number) ? (GrpcStatus)number : GrpcStatus.Unknown;
        string detail = GrpcHeaders.DecodeMessage(First(outcome, GrpcHeaders.Message) ?? "");
        throw new GrpcException(status, detail.Length > MaxDetailChars ? detail[..MaxDetailChars] : detail, Own(outcome));
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

    // One buffer of the announced size: an answer may hold secrets, and a buffer that grows leaves copies behind.
    private static async Task<byte[]> ReadBodyAsync(HttpResponseMessage response, int maxBytes, CancellationToken cancellation)
    {
        await using Stream stream = await response.Content.ReadAsStreamAsync(cancellation);
        byte[] prefix = new byte[GrpcFrame.PrefixBytes];
        int read = await stream.ReadAtLeastAsync(prefix, prefix.Length, throwOnEndOfStream: false, cancellation);
        if (read < prefix.Length) return prefix[..read];
        int length = GrpcFrame.CheckedLength(prefix, maxBytes);
        byte[] body = new byte[GrpcFrame.PrefixBytes + length + 1]; // one more, to see what should not be there
        prefix.CopyTo(body, 0);
        read += await stream.ReadAtLeastAsync(body.AsMemory(read), body.Length - read, throwOnEndOfStream: false, cancellation);
        if (read == body.Length) throw new GrpcException(GrpcStatus.Internal, "The answer holds more than one message; a unary call has exactly one.");
        if (read < body.Length - 1) throw new GrpcException(GrpcStatus.Internal, "The answer ends inside a message.");
        return body;
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
