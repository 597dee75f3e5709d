using System.Buffers;
using Google.Protobuf;

namespace Cloister.Protocol.Grpc;

/// <summary>Takes the messages a server streams. One is written at a time.</summary>
public abstract class GrpcMessageWriter
{
    /// <summary>Sends one message; ends when the connection has room for the next, so a slow reader slows its server.</summary>
    /// <param name="state">What <paramref name="write"/> writes.</param>
    /// <param name="write">Writes the message, without gRPC's prefix. If it throws, nothing of the message is sent.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public abstract ValueTask WriteAsync<TState>(TState state, Action<TState, IBufferWriter<byte>> write, CancellationToken cancellation = default);

    /// <summary>Sends one message; as the other form.</summary>
    public ValueTask WriteAsync(IMessage message, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        return WriteAsync(message, static (message, output) => message.WriteTo(output), cancellation);
    }
}
