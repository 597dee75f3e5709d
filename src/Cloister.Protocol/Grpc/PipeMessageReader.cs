using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;

namespace Cloister.Protocol.Grpc;

/// <summary>The messages of a request body. At most one message, and what the connection's window let in behind it, is held.</summary>
internal sealed class PipeMessageReader(HttpRequest request, GrpcServerOptions options) : GrpcMessageReader, IDisposable
{
    private readonly PipeReader _body = request.BodyReader;
    private readonly string? _encoding = request.Headers[GrpcHeaders.Encoding];
    private GrpcPayload _payload;
    private SequencePosition? _end;
    private (bool Compressed, int Length)? _next;

    public override ReadOnlySequence<byte> Current => _payload.Message;

    public override async ValueTask<bool> MoveNextAsync(CancellationToken cancellation = default)
    {
        Dispose();
        while (true)
        {
            ReadResult read = await _body.ReadAsync(cancellation);
            ReadOnlySequence<byte> buffer = read.Buffer;
            if (buffer.Length >= GrpcFrame.PrefixBytes)
            {
                (bool compressed, int length) = _next ??= options.Admit(buffer, request.HttpContext);
                if (buffer.Length - GrpcFrame.PrefixBytes >= length)
                {
                    ReadOnlySequence<byte> message = buffer.Slice(GrpcFrame.PrefixBytes, length);
                    _payload = GrpcFrame.Unpack(message, compressed, _encoding, options.MaxRequestBytes);
                    _end = message.End;
                    _next = null;
                    return true;
                }
            }
            if (read.IsCompleted)
            {
                bool clean = buffer.IsEmpty;
                _body.AdvanceTo(buffer.End);
                return clean ? false : throw new GrpcException(GrpcStatus.Internal, "The stream ends inside a message.");
            }
            _body.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    public void Dispose()
    {
        _payload.Dispose();
        _payload = default;
        if (_end is { } end) _body.AdvanceTo(end);
        _end = null;
    }
}
