using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
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
    public static ReadOnlyMemory<byte> ReadSingle(ReadOnlyMemory<byte> body, string? encoding, int maxBytes, GrpcStatus wrongCount)
    {
        if (body.IsEmpty) throw new GrpcException(wrongCount, "The body holds no message; a unary call has exactly one.");
        if (body.Length < PrefixBytes) throw new GrpcException(GrpcStatus.Internal, "The body ends inside a message's prefix.");
        bool compressed = IsCompressed(body.Span[0]);
        int length = CheckedLength(body.Span[..PrefixBytes], maxBytes);
        if (body.Length - PrefixBytes < length) throw new GrpcException(GrpcStatus.Internal, "The body ends inside a message.");
        if (body.Length - PrefixBytes > length) throw new GrpcException(wrongCount, "The body holds more than one message; a unary call has exactly one.");
        ReadOnlyMemory<byte> message = body.Slice(PrefixBytes, length);
        return compressed ? Inflate(message.Span, encoding, maxBytes) : message;
    }

    /// <summary>The length in a complete prefix, refused above <paramref name="maxBytes"/> before anything of that size is allocated.</summary>
    public static int CheckedLength(ReadOnlySpan<byte> prefix, int maxBytes)
    {
        IsCompressed(prefix[0]);
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

    private static bool IsCompressed(byte flag) => flag switch
    {
        0 => false,
        1 => true,
        _ => throw new GrpcException(GrpcStatus.Internal, $"A message's compressed flag is {flag}; it is 0 or 1."),
    };

    private static byte[] Inflate(ReadOnlySpan<byte> message, string? encoding, int maxBytes)
    {
        switch (encoding)
        {
            case null or "identity":
                throw new GrpcException(GrpcStatus.Internal, "A message is flagged as compressed, but grpc-encoding names no compression.");
            case "gzip":
                break;
            default:
                throw new GrpcException(GrpcStatus.Unimplemented, "The message's compression is not supported; grpc-accept-encoding lists what is.");
        }
        try
        {
            using var source = new GZipStream(new MemoryStream(message.ToArray(), writable: false), CompressionMode.Decompress);
            var inflated = new ArrayBufferWriter<byte>(Math.Min(maxBytes, Math.Max(256, message.Length * 2)));
            while (true)
            {
                Span<byte> room = inflated.GetSpan(4096);
                int read = source.Read(room);
                if (read == 0) return inflated.WrittenSpan.ToArray();
                if (read > maxBytes - inflated.WrittenCount)
                    throw new GrpcException(GrpcStatus.ResourceExhausted, $"A message inflates to more than the limit of {maxBytes} bytes.");
                inflated.Advance(read);
            }
        }
        catch (InvalidDataException error)
        {
            throw new GrpcException(GrpcStatus.Internal, "A compressed message could not be inflated.", inner: error);
        }
    }

    /// <summary>Fuzz target: the first byte picks the encoding, the rest is a body.</summary>
    public static void Fuzz(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) return;
        string? encoding = (data[0] % 4) switch { 0 => null, 1 => "identity", 2 => "gzip", _ => "br" };
        try
        {
            ReadOnlyMemory<byte> message = ReadSingle(data[1..].ToArray(), encoding, 1 << 16, GrpcStatus.Unimplemented);
            if (message.Length > 1 << 16) throw new InvalidOperationException("A message over the limit was let through.");
        }
        catch (GrpcException refused) when (refused.Status != GrpcStatus.Ok)
        {
            // The documented refusal.
        }
    }
}
