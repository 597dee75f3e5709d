using System.Buffers;
using System.IO.Pipelines;

namespace Cloister.Protocol.Grpc;

/// <summary>Messages into a response body, each flushed; the flush ends when the caller's window and the connection have room again.</summary>
internal sealed class PipeMessageWriter(PipeWriter output, string? encoding, GrpcCallContext? context = null) : GrpcMessageWriter
{
    public override async ValueTask WriteAsync<TState>(TState state, Action<TState, IBufferWriter<byte>> write, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(write);
        using (MessageBuffer message = MessageBuffer.WithPrefix())
        {
            write(state, message);
            GrpcEncodings.Send(output, message, context is { Uncompressed: true } ? null : encoding);
        }
        FlushResult flushed = await output.FlushAsync(cancellation);
        if (flushed.IsCompleted || flushed.IsCanceled) throw new GrpcException(GrpcStatus.Cancelled, "The caller gave up.");
    }
}
