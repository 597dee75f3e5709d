using System.Buffers.Binary;
using Cloister.Onnx.Runtime;

namespace Cloister.Partitioning.Runner.Wire;

/// <summary>Type and shape of one tensor of a run.</summary>
internal readonly record struct TensorHead(TensorElementType Type, long[] Shape)
{
    /// <summary>Bytes of its elements.</summary>
    public long Bytes { get; } = Type.ByteLength(Shape.Aggregate(1L, (count, dimension) => checked(count * dimension)));
}

/// <summary>What stands before the elements of a Run or an Answer: their number, and type and shape of each.</summary>
internal static class TensorHeads
{
    /// <summary>A Run begins with the slot its elements lie in.</summary>
    public const int SlotSize = 4;

    /// <summary>The slot of elements that follow in the frame itself.</summary>
    public const uint Inline = uint.MaxValue;

    public const int MaximumRank = 16;

    private const int MaximumTensors = 256;

    public static int Size(IEnumerable<TensorHead> heads) => 2 + heads.Sum(head => 2 + (8 * head.Shape.Length));

    public static void Write(IReadOnlyList<TensorHead> heads, Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)heads.Count);
        int at = 2;
        foreach (TensorHead head in heads)
        {
            bytes[at++] = (byte)head.Type;
            bytes[at++] = (byte)head.Shape.Length;
            foreach (long dimension in head.Shape)
            {
                BinaryPrimitives.WriteInt64LittleEndian(bytes[at..], dimension);
                at += 8;
            }
        }
    }

    /// <summary>How many bytes the heads of a model's inputs take: the ranks say it.</summary>
    public static int Size(IReadOnlyList<TensorInfo> tensors) => 2 + tensors.Sum(tensor => 2 + (8 * tensor.Shape.Count));

    /// <summary>Reads the heads; each dimension is 1 to <see cref="FrameHeader.MaximumTensorFrame"/>, all elements together no more bytes than that.</summary>
    /// <param name="bytes">The heads, and what may follow.</param>
    /// <param name="size">How many bytes the heads take.</param>
    /// <exception cref="WireException"><see cref="AcceleratorFault.BadFrame"/>.</exception>
    public static TensorHead[] Read(ReadOnlySpan<byte> bytes, out int size)
    {
        var reader = new WireReader(bytes);
        int count = reader.UInt16();
        if (count > MaximumTensors)
            throw new WireException(AcceleratorFault.BadFrame, $"A run of {count} tensors is refused.");
        var heads = new TensorHead[count];
        UInt128 sum = 0;
        for (int i = 0; i < count; i++)
        {
            var type = (TensorElementType)reader.UInt8();
            int rank = reader.UInt8();
            if (!TensorValues.CanCross(type) || rank > MaximumRank)
                throw new WireException(AcceleratorFault.BadFrame, $"A tensor of type {(int)type} with {rank} dimensions is refused.");
            long[] shape = new long[rank];
            UInt128 elements = 1;
            for (int d = 0; d < rank; d++)
            {
                shape[d] = reader.Int64();
                if (shape[d] is < 1 or > FrameHeader.MaximumTensorFrame)
                    throw new WireException(AcceleratorFault.BadFrame, $"A dimension of {shape[d]} is refused.");
                elements *= (UInt128)shape[d];
                if (elements > FrameHeader.MaximumTensorFrame)
                    throw new WireException(AcceleratorFault.BadFrame, "A tensor is larger than a frame.");
            }
            sum += elements * (UInt128)type.ByteLength(1);
            if (sum > FrameHeader.MaximumTensorFrame)
                throw new WireException(AcceleratorFault.BadFrame, "The tensors of a run are larger than a frame.");
            heads[i] = new TensorHead(type, shape);
        }
        size = bytes.Length - reader.Left;
        return heads;
    }
}
