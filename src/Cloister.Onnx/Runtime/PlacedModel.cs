using System.Runtime.InteropServices;
using Cloister.Onnx.Model;

namespace Cloister.Onnx.Runtime;

/// <summary>
/// A model that stands in pinned memory with its weights inside, or has them in other pinned memory, or both. Each large weight is
/// taken out of the message and used where it lies.
/// </summary>
internal sealed class PlacedModel
{
    private readonly PinnedBuffer _buffer;
    private readonly List<(TensorProto Tensor, int Offset)> _inside = [];
    private readonly HashSet<string> _lendable;

    private PlacedModel(PinnedBuffer buffer, GraphProto graph)
    {
        _buffer = buffer;
        _lendable = WeightUses.Lendable(graph);
    }

    /// <summary>
    /// Splits a model. Weights are lent if all of them that may be have at least <paramref name="inPlaceFrom"/> bytes together; otherwise
    /// null is returned, and the buffer is as it was.
    /// </summary>
    /// <exception cref="OnnxModelException">The bytes are no model, or its external data is not among the weights.</exception>
    public static PlacedWeights? TryPlace(PinnedBuffer buffer, IReadOnlyDictionary<string, ExternalWeights> weights, long inPlaceFrom)
    {
        ModelProto model = OnnxModel.Parse(buffer.Memory(0, (int)buffer.Length));
        var placed = new PlacedModel(buffer, model.Graph);
        UInt128 bytes = 0;
        foreach (TensorProto tensor in model.Graph.Initializers)
            if (placed.MayLend(tensor)) bytes += (UInt128)LengthOf(tensor);
        if (bytes == 0 || bytes < (UInt128)inPlaceFrom) return null;
        ModelProto outside = model with { Graph = model.Graph with { Initializers = [.. model.Graph.Initializers.Select(placed.TakeOut)] } };
        PlacedWeights result = PlacedWeights.Place(outside, weights, placed._lendable);
        try
        {
            foreach ((TensorProto tensor, int offset) in placed._inside) placed.Lend(tensor, offset, result);
            return result;
        }
        catch
        {
            result.Dispose();
            throw;
        }
    }

    private static long LengthOf(TensorProto tensor) => TensorSize.Bytes(tensor.DataType, tensor.ElementCount(), tensor.Name);

    private bool MayLend(TensorProto tensor) =>
        _lendable.Contains(tensor.Name) && (tensor.IsExternal ? tensor.DataType is not (TensorDataType.String or TensorDataType.Undefined) && LengthOf(tensor) > PlacedWeights.InlineLimit : StandsInside(tensor));

    // Elements of more than 8 bytes might not find room to be moved to their alignment.
    private static bool StandsInside(TensorProto tensor) =>
        tensor.RawData is { Length: > (int)PlacedWeights.InlineLimit } raw && !tensor.IsExternal && PlacedWeights.CanLend((int)tensor.DataType, tensor.Name)
        && tensor.DataType != TensorDataType.Complex128 && LengthOf(tensor) == raw.Length;

    private TensorProto TakeOut(TensorProto tensor)
    {
        if (!StandsInside(tensor) || !MemoryMarshal.TryGetMemoryManager(tensor.RawData!.Value, out System.Buffers.MemoryManager<byte>? _, out int offset, out int _)) return tensor;
        _inside.Add((tensor, offset));
        return PlacedWeights.Emptied(tensor) with { ExternalData = [new StringStringEntryProto { Key = "location", Value = WeightsFolder.FileName }], DataLocation = 1 };
    }

    private void Lend(TensorProto tensor, int offset, PlacedWeights result)
    {
        var type = (TensorElementType)(int)tensor.DataType;
        int size = (int)type.ByteLength(1), length = tensor.RawData!.Value.Length;
        // In front of the bytes stand at least eight of the message (two tags, two lengths of three bytes), which nobody needs any more.
        int aligned = offset - offset % size;
        if (aligned != offset) _buffer.Span(offset, length).CopyTo(_buffer.Span(aligned, length));
        result.Add(tensor.Name, OrtTensor.OverPinned(type, _buffer, aligned, tensor.Dims.AsSpan()), _lendable.Contains(tensor.Name));
    }
}
