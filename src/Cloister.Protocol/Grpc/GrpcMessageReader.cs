using System.Buffers;
using System.Runtime.CompilerServices;
using Google.Protobuf;

namespace Cloister.Protocol.Grpc;

/// <summary>The messages a caller streams, one at a time: the next one is taken from the connection only when it is asked for.</summary>
public abstract class GrpcMessageReader
{
    /// <summary>The message last moved to. It is the connection's own memory: it ends with the next move.</summary>
    public abstract ReadOnlySequence<byte> Current { get; }

    /// <summary>Waits for the next message; false when the caller has sent its last.</summary>
    /// <exception cref="GrpcException">The message is malformed or over the limit.</exception>
    public abstract ValueTask<bool> MoveNextAsync(CancellationToken cancellation = default);

    /// <summary>The messages, parsed.</summary>
    /// <exception cref="GrpcException">A message is malformed or over the limit.</exception>
    public async IAsyncEnumerable<T> ReadAllAsync<T>(MessageParser<T> parser, [EnumeratorCancellation] CancellationToken cancellation = default)
        where T : IMessage<T>
    {
        while (await MoveNextAsync(cancellation)) yield return GrpcMessages.Parse(parser, Current);
    }
}
