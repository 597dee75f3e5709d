using System.Buffers;

namespace Cloister.Protocol.Grpc;

/// <summary>A message as it came, or inflated into memory that goes back with this.</summary>
internal readonly struct GrpcPayload(ReadOnlySequence<byte> message, MessageBuffer? inflated = null) : IDisposable
{
    public ReadOnlySequence<byte> Message { get; } = message;

    public void Dispose() => inflated?.Dispose();
}
