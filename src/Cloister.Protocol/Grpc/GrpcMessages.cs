using System.Buffers;
using Google.Protobuf;

namespace Cloister.Protocol.Grpc;

/// <summary>Generated messages from bytes, for handlers that take bytes.</summary>
public static class GrpcMessages
{
    /// <summary>The message in these bytes.</summary>
    /// <exception cref="GrpcException"><see cref="GrpcStatus.Internal"/>: they are not one.</exception>
    public static T Parse<T>(MessageParser<T> parser, in ReadOnlySequence<byte> message)
        where T : IMessage<T>
    {
        ArgumentNullException.ThrowIfNull(parser);
        try
        {
            return parser.ParseFrom(message);
        }
        catch (InvalidProtocolBufferException error)
        {
            throw new GrpcException(GrpcStatus.Internal, "The request is not a message of this method.", inner: error);
        }
    }
}
