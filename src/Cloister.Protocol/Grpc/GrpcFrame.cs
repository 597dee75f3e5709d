using System.Buffers;
using System.Buffers.Binary;
using Google.Protobuf;

namespace Cloister.Protocol.Grpc;

/// <summary>
/// gRPC's length-prefixed message: one flag byte (1 = compressed), a 4-byte big-endian length, the message
/// (grpc/doc/PROTOCOL-HTTP2.md, "Length-Prefixed-Message").
/// </summary>
internal static class GrpcFrame
{
    public const int PrefixBytes = 5;

    /// <summary>The single message of a unary body. Any other body, or a message over <paramref name="maxBytes"/>, is refused.</summary>
    /// <param name="body">Everything between the headers and the trailers.</param>
    /// <param name="encoding">The peer's <c>grpc-encoding</c>, or null.</param>
    /// <param name="maxBytes">Bound for the message, before and after inflating.</param>
    /// <param name="wrongCount">The status for a body with no message or several.</param>
    /// <returns>A slice of the body, or the inflated message.</returns>
    /// <exception cref="GrpcException">The body is refused.</exception>
    public static GrpcPayload ReadSingle(in ReadOnlySequence<byte> body, string? encoding, int maxBytes, GrpcStatus wrongCount)
    {
        if (body.IsEmpty) throw new GrpcException(wrongCount, "The body holds no message; this call has exactly one.");
        if (body.Length < PrefixBytes) throw new GrpcException(GrpcStatus.Internal, "The body ends inside a message's prefix.");
        (bool compressed, int length) = ReadPrefix(body, maxBytes);
        if (body.Length - PrefixBytes < length) throw new GrpcException(GrpcStatus.Internal, "The body ends inside a message.");
        if (body.Length - PrefixBytes > length) throw new GrpcException(wrongCount, "The body holds more than one message; this call has exactly one.");
        return Unpack(body.Slice(PrefixBytes), compressed, encoding, maxBytes);
    }

    /// <summary>A message without its prefix, as its flag says.</summary>
    public static GrpcPayload Unpack(in ReadOnlySequence<byte> message, bool compressed, string? encoding, int maxBytes)
    {
        if (!compressed) return new GrpcPayload(message);
        MessageBuffer inflated = GrpcEncodings.Inflate(message, encoding, maxBytes);
        return new GrpcPayload(new ReadOnlySequence<byte>(inflated.Written), inflated);
    }

    /// <summary>The prefix at the start of a buffer that holds at least that.</summary>
    public static (bool Compressed, int Length) ReadPrefix(in ReadOnlySequence<byte> buffer, int maxBytes)
    {
        if (buffer.FirstSpan.Length >= PrefixBytes) return (buffer.FirstSpan[0] == 1, CheckedLength(buffer.FirstSpan, maxBytes));
        Span<byte> prefix = stackalloc byte[PrefixBytes];
        buffer.Slice(0, PrefixBytes).CopyTo(prefix);
        return (prefix[0] == 1, CheckedLength(prefix, maxBytes));
    }

    /// <summary>The length in a complete prefix, refused above <paramref name="maxBytes"/> before anything of that size is allocated.</summary>
    public static int CheckedLength(ReadOnlySpan<byte> prefix, int maxBytes)
    {
        if (prefix[0] > 1) throw new GrpcException(GrpcStatus.Internal, $"A message's compressed flag is {prefix[0]}; it is 0 or 1.");
        uint length = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        if (length > (uint)maxBytes)
            throw new GrpcException(GrpcStatus.ResourceExhausted, $"A message of {length} bytes is over the limit of {maxBytes}.");
        return (int)length;
    }

    /// <summary>Writes a message with its prefix, uncompressed.</summary>
    public static void Write(IBufferWriter<byte> output, IMessage message)
    {
        int size = message.CalculateSize();
        Span<byte> frame = output.GetSpan(PrefixBytes + size)[..(PrefixBytes + size)];
        frame[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(frame[1..], (uint)size);
        message.WriteTo(frame[PrefixBytes..]);
        output.Advance(frame.Length);
    }

    /// <summary>Fuzz target: the first byte picks the encoding, the rest is a body.</summary>
    public static void Fuzz(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) return;
        string? encoding = (data[0] % 5) switch { 0 => null, 1 => "identity", 2 => "gzip", 3 => "deflate", _ => "br" };
        try
        {
            using GrpcPayload payload = ReadSingle(new ReadOnlySequence<byte>(data[1..].ToArray()), encoding, 1 << 16, GrpcStatus.Unimplemented);
            if (payload.Message.Length > 1 << 16) throw new InvalidOperationException("A message over the limit was let through.");
        }
        catch (GrpcException refused) when (refused.Status != GrpcStatus.Ok)
        {
            // The documented refusal.
        }
    }
}
