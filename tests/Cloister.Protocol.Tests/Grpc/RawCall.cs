using System.Net;
using System.Net.Http.Headers;

namespace Cloister.Protocol.Tests.Grpc;

/// <summary>A hand-made gRPC request, so that tests can send what no proper client would.</summary>
internal sealed record RawCall(GrpcTestServer Server)
{
    public string Path { get; init; } = "/test.Echo/Unary";
    public string ContentType { get; init; } = "application/grpc";
    public string? Timeout { get; init; }
    public string? Encoding { get; init; }
    public string? Accept { get; init; }

    /// <summary>Sends each piece as data frames of its own.</summary>
    public async Task<RawAnswer> SendAsync(params byte[][] pieces)
    {
        using HttpMessageInvoker client = Server.Client();
        using var message = new HttpRequestMessage(HttpMethod.Post, new Uri(Server.Address, Path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new PieceContent(pieces),
        };
        message.Content.Headers.TryAddWithoutValidation("content-type", ContentType);
        message.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        if (Timeout is not null) message.Headers.TryAddWithoutValidation("grpc-timeout", Timeout);
        if (Encoding is not null) message.Headers.TryAddWithoutValidation("grpc-encoding", Encoding);
        if (Accept is not null) message.Headers.TryAddWithoutValidation("grpc-accept-encoding", Accept);
        using HttpResponseMessage response = await client.SendAsync(message, CancellationToken.None);
        byte[] body = await response.Content.ReadAsByteArrayAsync();
        return new RawAnswer(
            (int)response.StatusCode,
            First(response.TrailingHeaders, "grpc-status"),
            First(response.TrailingHeaders, "grpc-message"),
            First(response.Headers, "grpc-accept-encoding"),
            body)
        {
            Encoding = First(response.Headers, "grpc-encoding"),
            Trailers = response.TrailingHeaders.ToDictionary(trailer => trailer.Key, trailer => string.Join(",", trailer.Value), StringComparer.Ordinal),
        };
    }

    public static byte[] Frame(ReadOnlySpan<byte> message, byte flag = 0)
    {
        byte[] frame = new byte[5 + message.Length];
        frame[0] = flag;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), (uint)message.Length);
        message.CopyTo(frame.AsSpan(5));
        return frame;
    }

    private static string? First(HttpResponseHeaders headers, string name) => headers.TryGetValues(name, out IEnumerable<string>? values) ? values.First() : null;

    private sealed class PieceContent(byte[][] pieces) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            foreach (byte[] piece in pieces)
            {
                await stream.WriteAsync(piece);
                await stream.FlushAsync();
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}

internal sealed record RawAnswer(int Http, string? Status, string? Message, string? AcceptEncoding, byte[] Body)
{
    public string? Encoding { get; init; }
    public required IReadOnlyDictionary<string, string> Trailers { get; init; }
}
