using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;

namespace Cloister.Protocol.Grpc;

/// <summary>Reads the one message of a call whose caller does not stream. It stays in the connection's memory until it is released.</summary>
internal readonly struct SingleMessage : IDisposable
{
    private readonly PipeReader _body;
    private readonly SequencePosition _end;
    private readonly GrpcPayload _payload;

    private SingleMessage(PipeReader body, SequencePosition end, GrpcPayload payload)
    {
        _body = body;
        _end = end;
        _payload = payload;
    }

    public ReadOnlySequence<byte> Message => _payload.Message;

    /// <summary>Waits for the message and for the end behind it. Nothing is buffered beyond the length that was checked.</summary>
    /// <exception cref="GrpcException">The body is refused.</exception>
    public static async ValueTask<SingleMessage> ReadAsync(HttpRequest request, GrpcServerOptions options, CancellationToken cancellation)
    {
        PipeReader body = request.BodyReader;
        long limit = GrpcFrame.PrefixBytes;
        bool sized = false;
        while (true)
        {
            ReadResult read = await body.ReadAsync(cancellation);
            ReadOnlySequence<byte> buffer = read.Buffer;
            if (!sized && buffer.Length >= GrpcFrame.PrefixBytes)
            {
                limit += options.Admit(buffer, request.HttpContext).Length;
                sized = true;
            }
            if (read.IsCompleted || buffer.Length > limit)
            {
                // gRPC's status table: the wrong number of requests is UNIMPLEMENTED on a server.
                GrpcPayload payload = GrpcFrame.ReadSingle(buffer, request.Headers[GrpcHeaders.Encoding], options.MaxRequestBytes, GrpcStatus.Unimplemented);
                return new SingleMessage(body, buffer.End, payload);
            }
            body.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    public void Dispose()
    {
        _payload.Dispose();
        _body.AdvanceTo(_end);
    }
}
