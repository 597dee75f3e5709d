using System.Buffers.Binary;

namespace Cloister.Images.Channel;

/// <summary>One frame: u32 length of the payload, u8 kind, u32 stream, payload; little-endian (docs/formats/machine-channel.md).</summary>
/// <param name="Kind">What it says.</param>
/// <param name="Stream">Which program it is about; 0 for the machine.</param>
/// <param name="Payload">Its bytes.</param>
internal readonly record struct Frame(FrameKind Kind, uint Stream, ReadOnlyMemory<byte> Payload)
{
    public const int HeaderSize = 9;

    /// <summary>No frame is longer; a frame of bytes is at most <see cref="ChunkLimit"/>, one of JSON at most <see cref="JsonLimit"/>.</summary>
    public const int PayloadLimit = 1 << 20;

    /// <summary>Bytes of a program in one frame, without the byte that names the output.</summary>
    public const int ChunkLimit = 64 << 10;

    public const int JsonLimit = 256 << 10;

    public static int Limit(FrameKind kind) => kind switch
    {
        FrameKind.Ready or FrameKind.Settings or FrameKind.Event or FrameKind.Exec or FrameKind.Exit or FrameKind.Stop or FrameKind.Stopped => JsonLimit,
        FrameKind.Log or FrameKind.Output => ChunkLimit + 1,
        FrameKind.Input => ChunkLimit,
        FrameKind.Signal => 1,
        FrameKind.Window => 4,
        _ => throw Invalid($"unknown kind {(byte)kind}"),
    };

    /// <summary>Reads the next frame; null where the stream ends between two.</summary>
    /// <exception cref="ImageException">It is none: an unknown kind, too long, cut off.</exception>
    public static async ValueTask<Frame?> ReadAsync(Stream stream, CancellationToken cancellation)
    {
        byte[] header = new byte[HeaderSize];
        int got = await stream.ReadAtLeastAsync(header, HeaderSize, throwOnEndOfStream: false, cancellation);
        if (got == 0)
            return null;
        if (got < HeaderSize)
            throw Invalid("a frame's header is cut off");
        (int length, FrameKind kind, uint number) = ReadHeader(header);
        byte[] payload = new byte[length];
        if (await stream.ReadAtLeastAsync(payload, length, throwOnEndOfStream: false, cancellation) < length)
            throw Invalid($"a frame of kind {kind} is cut off");
        return new Frame(kind, number, payload);
    }

    /// <summary>The frame as it travels.</summary>
    public byte[] ToArray()
    {
        if (Payload.Length > Limit(Kind))
            throw new ArgumentException($"A frame of kind {Kind} holds at most {Limit(Kind)} bytes.");
        byte[] bytes = new byte[HeaderSize + Payload.Length];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, Payload.Length);
        bytes[4] = (byte)Kind;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(5), Stream);
        Payload.Span.CopyTo(bytes.AsSpan(HeaderSize));
        return bytes;
    }

    public static ImageException Invalid(string what, Exception? inner = null) => new(ImageError.ChannelInvalid, $"The channel between machine and host does not follow its protocol: {what}.", inner);

    private static (int Length, FrameKind Kind, uint Stream) ReadHeader(ReadOnlySpan<byte> header)
    {
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(header);
        var kind = (FrameKind)header[4];
        int limit = Limit(kind);
        if (length > limit)
            throw Invalid($"a frame of kind {kind} announces {length} bytes, more than {limit}");
        return ((int)length, kind, BinaryPrimitives.ReadUInt32LittleEndian(header[5..]));
    }
}
