using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner.Wire;

namespace Cloister.Partitioning.Runner.Hosting;

/// <summary>A run that was asked for, or a short reply that waits for its turn among the answers.</summary>
internal sealed class HostedRun : IDisposable
{
    private TensorHead[] _heads = [];
    private byte[] _headBytes = [];
    private BufferShelf? _shelf;
    private PinnedBuffer? _buffer;

    private HostedRun(ulong id) => Id = id;

    public ulong Id { get; }

    /// <summary>The kind of a reply without payload; null for a run.</summary>
    public FrameKind? Answer { get; private init; }

    /// <summary>Where its inputs lie in shared memory; null where they come in the frame.</summary>
    public int? Slot { get; private init; }

    /// <summary>Bytes of its inputs.</summary>
    public long InputBytes { get; private init; }

    /// <summary>Its inputs, one behind the other as they came.</summary>
    public Memory<byte> Inputs => _buffer!.Memory(0, (int)InputBytes);

    public static HostedRun Reply(FrameKind kind, ulong id) => new(id) { Answer = kind };

    /// <summary>Reads what is asked.</summary>
    /// <exception cref="WireException">It is malformed.</exception>
    /// <exception cref="RefusedException">It is too large.</exception>
    public static HostedRun Describe(FrameHeader header, byte[] head, SharedSlots? slots, long maximumBytes)
    {
        var reader = new WireReader(head);
        uint slot = reader.UInt32();
        byte[] described = reader.Rest().ToArray();
        TensorHead[] heads = TensorHeads.Read(described, out int size);
        if (size != described.Length)
            throw new WireException(AcceleratorFault.BadFrame, "A run has tensors of other ranks than the model's inputs.");
        long bytes = heads.Sum(one => one.Bytes);
        if (bytes > maximumBytes)
            throw new RefusedException(RefusalCode.RunTooLarge, $"The run has {bytes} bytes; {maximumBytes} are taken at most.");
        bool inline = slot == TensorHeads.Inline;
        if (header.Length - head.Length != (inline ? bytes : 0))
            throw new WireException(AcceleratorFault.BadFrame, "A run's frame is not as long as its tensors.");
        if (!inline && (slots is null || slot >= slots.Offer.Slots || bytes > slots.Offer.InputBytes))
            throw new WireException(AcceleratorFault.BadFrame, $"There is no slot {slot} of shared memory for {bytes} bytes.");
        return new HostedRun(header.Id) { _heads = heads, _headBytes = described, InputBytes = bytes, Slot = inline ? null : (int)slot };
    }

    /// <summary>Takes memory for the inputs.</summary>
    public void Allocate(BufferShelf shelf) => _buffer = (_shelf = shelf).Take(InputBytes);

    /// <summary>Copies the inputs: who wrote them may write on, and operators look at some of them twice.</summary>
    public void TakeInputs(ReadOnlySpan<byte> memory) => memory[..(int)InputBytes].CopyTo(Inputs.Span);

    /// <summary>What the answer says of the inputs.</summary>
    public void Digest(Span<byte> digest)
    {
        var sum = new InputDigest();
        sum.Append(_headBytes);
        sum.Append(Inputs.Span);
        sum.Finish(digest);
    }

    /// <summary>The inputs as tensors; the caller disposes of them.</summary>
    public OrtTensor[] Tensors()
    {
        var tensors = new OrtTensor[_heads.Length];
        long at = 0;
        for (int i = 0; i < tensors.Length; i++)
        {
            tensors[i] = Tensor(_heads[i], at);
            at += _heads[i].Bytes;
        }
        return tensors;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer) _shelf!.Return(buffer);
    }

    // Kernels read elements at their natural alignment, and tensors come without gaps.
    private OrtTensor Tensor(TensorHead head, long at)
    {
        if (at % head.Type.ByteLength(1) == 0)
            return OrtTensor.OverPinned(head.Type, _buffer!, at, head.Shape);
        OrtTensor aligned = OrtTensor.Allocate(head.Type, head.Shape);
        _buffer!.Span(at, (int)head.Bytes).CopyTo(aligned.Bytes);
        return aligned;
    }
}
