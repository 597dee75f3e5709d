namespace Cloister.Partitioning.Runner.Wire;

/// <summary>Reads frames from bytes at rest: what the connections read, without one.</summary>
internal static class FrameStream
{
    private const int MaximumTensorFrame = 1 << 20;

    /// <summary>For fuzzing: whatever an accelerator sends is read or refused by <see cref="WireException"/>.</summary>
    public static void FuzzFromAccelerator(ReadOnlySpan<byte> bytes) => Fuzz(bytes, fromWorkload: false);

    /// <summary>For fuzzing: whatever a workload sends is read or refused by <see cref="WireException"/>.</summary>
    public static void FuzzFromWorkload(ReadOnlySpan<byte> bytes) => Fuzz(bytes, fromWorkload: true);

    /// <summary>Reads all frames; gives their kinds.</summary>
    /// <exception cref="WireException">A frame is refused.</exception>
    public static IReadOnlyList<FrameKind> Walk(ReadOnlySpan<byte> bytes, bool fromWorkload)
    {
        var kinds = new List<FrameKind>();
        while (!bytes.IsEmpty)
        {
            if (bytes.Length < FrameHeader.Size)
                throw new WireException(AcceleratorFault.TornFrame, "The bytes end within a header.");
            FrameHeader header = FrameHeader.Read(bytes, fromWorkload, MaximumTensorFrame);
            bytes = bytes[FrameHeader.Size..];
            if (bytes.Length < header.Length)
                throw new WireException(AcceleratorFault.TornFrame, "The bytes end within a frame.");
            Payload(header.Kind, bytes[..header.Length]);
            bytes = bytes[header.Length..];
            kinds.Add(header.Kind);
        }
        return kinds;
    }

    private static void Payload(FrameKind kind, ReadOnlySpan<byte> payload)
    {
        switch (kind)
        {
            case FrameKind.Hello: Greeting.ReadHello(payload); break;
            case FrameKind.Welcome: Greeting.ReadWelcome(payload); break;
            case FrameKind.Offer: ModelOffer.Read(payload); break;
            case FrameKind.Ready: ModelFace.Read(payload); break;
            case FrameKind.Memory: MemoryOffer.Read(payload); break;
            case FrameKind.Refusal: RefusalNote.Read(payload); break;
            case FrameKind.Run: Tensors(payload[TensorHeads.SlotSize..]); break;
            case FrameKind.Answer: Tensors(payload[InputDigest.Size..]); break;
            default: break;
        }
    }

    // Elements follow in the frame, or lie in shared memory.
    private static void Tensors(ReadOnlySpan<byte> payload)
    {
        long elements = TensorHeads.Read(payload, out int size).Sum(head => head.Bytes);
        if (payload.Length != size && payload.Length != size + elements)
            throw new WireException(AcceleratorFault.BadFrame, $"{payload.Length - size} bytes of elements follow where {elements} should.");
    }

    private static void Fuzz(ReadOnlySpan<byte> bytes, bool fromWorkload)
    {
        try
        {
            Walk(bytes, fromWorkload);
        }
        catch (WireException)
        {
            // The documented refusal.
        }
    }
}
