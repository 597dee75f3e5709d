using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner.Wire;

namespace Cloister.Partitioning.Runner.Pooling;

/// <summary>Requests that travel together, and what an answer to them must look like.</summary>
internal sealed class Batch
{
    private readonly BackNet _backNet;
    private readonly byte[] _digest = new byte[InputDigest.Size];

    private Batch(BackNet backNet, IReadOnlyList<PoolRequest> requests, int? slot, long takenAt)
    {
        (_backNet, Requests, Slot, TakenAt) = (backNet, requests, slot, takenAt);
        Rows = requests.Sum(request => request.Rows);
        TensorHead[] heads = Heads(backNet.Outputs, backNet.OutputShape);
        AnswerHeads = new byte[TensorHeads.Size(heads)];
        TensorHeads.Write(heads, AnswerHeads);
        AnswerBytes = heads.Sum(head => head.Bytes);
    }

    public IReadOnlyList<PoolRequest> Requests { get; }

    /// <summary>Items of all requests.</summary>
    public int Rows { get; }

    /// <summary>Where its tensors lie in shared memory; null where they travel in the frames.</summary>
    public int? Slot { get; }

    public ulong Id { get; set; }

    /// <summary>When it left the queue.</summary>
    public long TakenAt { get; }

    /// <summary>When it was sent; 0 before.</summary>
    public long SentAt { get; set; }

    /// <summary>What the answer says of its tensors, byte for byte.</summary>
    public byte[] AnswerHeads { get; }

    /// <summary>Bytes of the answer's elements.</summary>
    public long AnswerBytes { get; }

    /// <summary>Bytes of the Run frame.</summary>
    public long FrameLength => HeadSize(_backNet) + (Slot is null ? _backNet.InputBytes(Rows) : 0);

    /// <summary>What the answer says of the inputs.</summary>
    public ReadOnlySpan<byte> Digest => _digest;

    /// <summary>The payload's length of the only answer that fits.</summary>
    public long AnswerLength => InputDigest.Size + AnswerHeads.Length + (Slot is null ? AnswerBytes : 0);

    /// <summary>Bytes of a Run frame, in front of elements.</summary>
    public static int HeadSize(BackNet backNet) => FrameHeader.Size + TensorHeads.SlotSize + TensorHeads.Size(backNet.Inputs);

    /// <summary>Writes requests as a Run frame; the inputs are copied, and the requests held meanwhile.</summary>
    /// <param name="backNet">What is run.</param>
    /// <param name="requests">All held by the caller.</param>
    /// <param name="id">The frame's id.</param>
    /// <param name="frame">Room for the frame's head, and for the elements where there is no slot.</param>
    /// <param name="slot">A slot of shared memory.</param>
    /// <param name="memory">The slot's inputs.</param>
    /// <param name="takenAt">When the requests left the queue.</param>
    public static Batch Write(BackNet backNet, IReadOnlyList<PoolRequest> requests, ulong id, Span<byte> frame, int? slot, Span<byte> memory, long takenAt)
    {
        var batch = new Batch(backNet, requests, slot, takenAt) { Id = id };
        TensorHead[] heads = batch.Heads(backNet.Inputs, backNet.InputShape);
        int headSize = HeadSize(backNet);
        long bytes = heads.Sum(head => head.Bytes);
        new FrameHeader(FrameKind.Run, id, headSize - FrameHeader.Size + (slot is null ? (int)bytes : 0)).Write(frame);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(frame[FrameHeader.Size..], slot is { } place ? (uint)place : TensorHeads.Inline);
        Span<byte> described = frame[(FrameHeader.Size + TensorHeads.SlotSize)..headSize];
        TensorHeads.Write(heads, described);

        // The digest is of what the callers gave, not of shared memory, which the other side may change.
        var digest = new InputDigest();
        digest.Append(described);
        Span<byte> elements = slot is null ? frame[headSize..] : memory;
        for (int input = 0; input < heads.Length; input++)
        {
            foreach (PoolRequest request in requests)
            {
                ReadOnlySpan<byte> given = request.Inputs[input].Bytes;
                given.CopyTo(elements);
                digest.Append(given);
                elements = elements[given.Length..];
            }
        }
        digest.Finish(batch._digest);
        return batch;
    }

    /// <summary>New memory for the answer: a buffer a request and output.</summary>
    public PinnedBuffer[][] AllocateOutputs() =>
        [.. Requests.Select(request => Enumerable.Range(0, _backNet.Outputs.Count)
            .Select(output => PinnedBuffer.Allocate(new TensorHead(_backNet.Outputs[output].Type, _backNet.OutputShape(output, request.Rows)).Bytes)).ToArray())];

    /// <summary>Tensors over the memory of one request.</summary>
    public OrtTensor[] Tensors(PinnedBuffer[] buffers, PoolRequest request) =>
        [.. buffers.Select((buffer, output) => OrtTensor.OverPinned(_backNet.Outputs[output].Type, buffer, 0, _backNet.OutputShape(output, request.Rows)))];

    private TensorHead[] Heads(IReadOnlyList<TensorInfo> tensors, Func<int, int, long[]> shape) =>
        [.. tensors.Select((tensor, i) => new TensorHead(tensor.Type, shape(i, Rows)))];
}
