using System.Buffers.Binary;
using System.Text;
using Cloister.Onnx.Runtime;

namespace Cloister.Partitioning.Runner.Wire;

/// <summary>A model's inputs and outputs, as whoever loaded it sees them.</summary>
internal sealed record ModelFace(IReadOnlyList<TensorInfo> Inputs, IReadOnlyList<TensorInfo> Outputs)
{
    private const int MaximumTensors = 256;
    private const int MaximumName = 1024;
    private const int MaximumRank = TensorHeads.MaximumRank;

    /// <exception cref="WireException">The model has more than can be said.</exception>
    public byte[] Write()
    {
        var bytes = new List<byte>();
        Span<byte> number = stackalloc byte[8];
        foreach (IReadOnlyList<TensorInfo> side in new[] { Inputs, Outputs })
        {
            BinaryPrimitives.WriteUInt16LittleEndian(number, (ushort)side.Count);
            bytes.AddRange(number[..2]);
            foreach (TensorInfo tensor in side)
            {
                byte[] name = Encoding.UTF8.GetBytes(tensor.Name);
                if (side.Count > MaximumTensors || name.Length > MaximumName || tensor.Shape.Count > MaximumRank)
                    throw new WireException(AcceleratorFault.ModelRefused, $"The model has more than {MaximumTensors} tensors on a side, a name over {MaximumName} bytes or more than {MaximumRank} dimensions.");
                BinaryPrimitives.WriteUInt16LittleEndian(number, (ushort)name.Length);
                bytes.AddRange(number[..2]);
                bytes.AddRange(name);
                bytes.Add((byte)tensor.Type);
                bytes.Add((byte)tensor.Shape.Count);
                foreach (long dimension in tensor.Shape)
                {
                    BinaryPrimitives.WriteInt64LittleEndian(number, dimension);
                    bytes.AddRange(number);
                }
            }
        }
        return [.. bytes];
    }

    /// <exception cref="WireException"><see cref="AcceleratorFault.BadFrame"/>.</exception>
    public static ModelFace Read(ReadOnlySpan<byte> payload)
    {
        var reader = new WireReader(payload);
        TensorInfo[] inputs = ReadSide(ref reader), outputs = ReadSide(ref reader);
        reader.End();
        return new ModelFace(inputs, outputs);
    }

    /// <summary>Why the two are not of one model, in words that hold nothing of the other side's; null if they may be.</summary>
    public string? Mismatch(ModelFace other) => Mismatch("inputs", Inputs, other.Inputs) ?? Mismatch("outputs", Outputs, other.Outputs);

    private static string? Mismatch(string side, IReadOnlyList<TensorInfo> own, IReadOnlyList<TensorInfo> other)
    {
        if (own.Count != other.Count)
            return $"it has {other.Count} {side}, not {own.Count}";
        for (int i = 0; i < own.Count; i++)
        {
            // A dimension that one side leaves free may be known to the other: it infers more.
            bool same = own[i].Name == other[i].Name && own[i].Type == other[i].Type && own[i].Shape.Count == other[i].Shape.Count
                && own[i].Shape.Zip(other[i].Shape).All(pair => pair.First == pair.Second || pair.First < 0 || pair.Second < 0);
            if (!same)
                return $"number {i + 1} of its {side} is not {own[i]}";
        }
        return null;
    }

    private static TensorInfo[] ReadSide(ref WireReader reader)
    {
        int count = reader.UInt16();
        if (count > MaximumTensors)
            throw new WireException(AcceleratorFault.BadFrame, $"A model of {count} inputs or outputs is refused.");
        var tensors = new TensorInfo[count];
        for (int i = 0; i < count; i++)
        {
            int length = reader.UInt16();
            if (length > MaximumName)
                throw new WireException(AcceleratorFault.BadFrame, $"A tensor's name of {length} bytes is refused.");
            string name = Encoding.UTF8.GetString(reader.Take(length));
            var type = (TensorElementType)reader.UInt8();
            int rank = reader.UInt8();
            if (!TensorValues.CanCross(type) || rank > MaximumRank)
                throw new WireException(AcceleratorFault.BadFrame, $"A tensor of type {(int)type} with {rank} dimensions is refused.");
            long[] shape = new long[rank];
            for (int d = 0; d < rank; d++)
                shape[d] = Math.Max(-1, reader.Int64());
            tensors[i] = new TensorInfo(name, type, shape);
        }
        return tensors;
    }
}
