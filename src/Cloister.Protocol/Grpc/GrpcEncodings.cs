using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using Microsoft.Extensions.Primitives;

namespace Cloister.Protocol.Grpc;

/// <summary>gRPC's message encodings that are known here: gzip (RFC 1952) and deflate (RFC 1950, zlib's) (grpc/doc/compression.md).</summary>
internal static class GrpcEncodings
{
    public const string Gzip = "gzip";
    public const string Deflate = "deflate";
    public const string Accepted = "identity,gzip,deflate";

    /// <summary>A shorter answer is not worth the work.</summary>
    private const int LeastCompressed = 256;

    /// <summary>How the answers of a call are compressed; null where they are not.</summary>
    /// <param name="wish">The service's own wish.</param>
    /// <param name="requested">The encoding of the caller's messages, or null.</param>
    /// <param name="accepted">What the caller reads.</param>
    public static string? Choose(GrpcCompression wish, string? requested, StringValues accepted)
    {
        if (accepted.Count == 0 || wish == GrpcCompression.Never) return null;
        if (Known(requested) is { } same && Accepts(accepted, same)) return same;
        if (wish != GrpcCompression.Always) return null;
        return Accepts(accepted, Gzip) ? Gzip : Accepts(accepted, Deflate) ? Deflate : null;
    }

    /// <summary>Sends a message, compressed where that was agreed and makes it smaller.</summary>
    public static void Send(PipeWriter output, MessageBuffer message, string? encoding)
    {
        if (encoding is not null && message.Message.Length >= LeastCompressed)
        {
            using MessageBuffer packed = Compress(message.Message.Span, encoding);
            if (packed.Message.Length < message.Message.Length)
            {
                output.Write(packed.Frame(compressed: true));
                return;
            }
        }
        output.Write(message.Frame(compressed: false));
    }

    /// <summary>Inflates a message, never beyond the limit.</summary>
    /// <exception cref="GrpcException">The encoding is unknown, the message damaged or too large.</exception>
    public static MessageBuffer Inflate(in ReadOnlySequence<byte> message, string? encoding, int maxBytes)
    {
        if (encoding is null or "identity")
            throw new GrpcException(GrpcStatus.Internal, "A message is flagged as compressed, but grpc-encoding names no compression.");
        if (Known(encoding) is null)
            throw new GrpcException(GrpcStatus.Unimplemented, "The message's compression is not supported; grpc-accept-encoding lists what is.");
        MessageBuffer inflated = MessageBuffer.Plain((int)Math.Min(maxBytes, message.Length * 2));
        try
        {
            using var packed = new MessageStream(message);
            using Stream source = encoding == Gzip ? new GZipStream(packed, CompressionMode.Decompress) : new ZLibStream(packed, CompressionMode.Decompress);
            while (true)
            {
                int read = source.Read(inflated.GetSpan(4096));
                if (read == 0) return inflated;
                if (read > maxBytes - inflated.Written.Length)
                    throw new GrpcException(GrpcStatus.ResourceExhausted, $"A message inflates to more than the limit of {maxBytes} bytes.");
                inflated.Advance(read);
            }
        }
        catch (InvalidDataException error)
        {
            inflated.Dispose();
            throw new GrpcException(GrpcStatus.Internal, "A compressed message could not be inflated.", inner: error);
        }
        catch
        {
            inflated.Dispose();
            throw;
        }
    }

    private static MessageBuffer Compress(ReadOnlySpan<byte> message, string encoding)
    {
        MessageBuffer packed = MessageBuffer.WithPrefix(message.Length / 2);
        try
        {
            using var sink = new MessageStream(packed);
            using (Stream compress = encoding == Gzip ? new GZipStream(sink, CompressionLevel.Fastest) : new ZLibStream(sink, CompressionLevel.Fastest))
                compress.Write(message);
            return packed;
        }
        catch
        {
            packed.Dispose();
            throw;
        }
    }

    private static string? Known(string? encoding) => encoding switch { Gzip => Gzip, Deflate => Deflate, _ => null };

    private static bool Accepts(StringValues accepted, string encoding)
    {
        foreach (string? line in accepted)
            foreach (Range part in line.AsSpan().Split(','))
                if (line.AsSpan(part).Trim().SequenceEqual(encoding)) return true;
        return false;
    }
}
