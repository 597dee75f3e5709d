using System.Buffers.Binary;

namespace Cloister.Partitioning.Runner.Wire;

/// <summary>The first bytes of every frame: length of the payload u32, kind u8, three zeros, id u64.</summary>
internal readonly record struct FrameHeader(FrameKind Kind, ulong Id, int Length)
{
    /// <summary>Bytes of a header.</summary>
    public const int Size = 16;

    /// <summary>Bytes of a model in one frame.</summary>
    public const int MaximumChunk = 1 << 20;

    /// <summary>Bytes of a Run or an Answer, whatever its sender could hold.</summary>
    public const int MaximumTensorFrame = 1 << 30;

    private const int MaximumReady = 64 << 10;

    // RFC 8446, 5.1: content type handshake, legacy version 3.x; its sixth byte, the kind of message, is not zero.
    private static ReadOnlySpan<byte> TlsHandshake => [0x16, 0x03];

    /// <summary>Reads a header; the caller has <see cref="Size"/> bytes.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="fromWorkload">Whether the workload sent it, and not the accelerator.</param>
    /// <param name="maximumTensorFrame">The longest Run or Answer that is taken.</param>
    /// <exception cref="WireException"><see cref="AcceleratorFault.BadFrame"/>.</exception>
    public static FrameHeader Read(ReadOnlySpan<byte> bytes, bool fromWorkload, int maximumTensorFrame)
    {
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        var kind = (FrameKind)bytes[4];
        if (bytes[5..8].ContainsAnyExcept((byte)0))
            throw new WireException(AcceleratorFault.BadFrame, bytes.StartsWith(TlsHandshake) ? "The other side begins TLS: both must say tls:, or neither." : "A frame's reserved bytes are not zero.");
        (int least, int most) = Lengths(kind, fromWorkload, maximumTensorFrame);
        if (most < 0)
            throw new WireException(AcceleratorFault.BadFrame, $"A frame of kind {bytes[4]} is not one that {(fromWorkload ? "a workload" : "an accelerator")} sends.");
        if (length < least || length > most)
            throw new WireException(AcceleratorFault.BadFrame, $"A {kind} frame of {length} bytes is outside {least} to {most}.");
        return new FrameHeader(kind, BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]), (int)length);
    }

    /// <summary>Writes <see cref="Size"/> bytes.</summary>
    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)Length);
        bytes[4] = (byte)Kind;
        bytes[5..8].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], Id);
    }

    private static (int Least, int Most) Lengths(FrameKind kind, bool fromWorkload, int maximumTensorFrame) => (kind, fromWorkload) switch
    {
        (FrameKind.Hello, true) => (Greeting.HelloSize, Greeting.HelloSize),
        (FrameKind.Welcome, false) => (Greeting.WelcomeSize, Greeting.WelcomeSize),
        (FrameKind.Offer, true) => (ModelOffer.Size, ModelOffer.Size),
        (FrameKind.Have or FrameKind.Send or FrameKind.Mapped, false) => (0, 0),
        (FrameKind.Chunk, true) => (1, MaximumChunk),
        (FrameKind.Ready, false) => (4, MaximumReady),
        (FrameKind.Memory, true) => (MemoryOffer.Size, MemoryOffer.Size),
        (FrameKind.Run, true) => (TensorHeads.SlotSize + 2, maximumTensorFrame),
        (FrameKind.Answer, false) => (InputDigest.Size + 2, maximumTensorFrame),
        (FrameKind.Refusal, false) => (RefusalNote.LeastSize, RefusalNote.MostSize),
        (FrameKind.Ping, true) or (FrameKind.Pong, false) => (0, 0),
        _ => (0, -1),
    };
}
