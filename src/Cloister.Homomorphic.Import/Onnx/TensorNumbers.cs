using System.Buffers.Binary;
using Cloister.Onnx.Model;

namespace Cloister.Homomorphic.Import.Onnx;

/// <summary>A constant tensor as numbers.</summary>
/// <param name="Values">In C order.</param>
/// <param name="Shape">None for a scalar.</param>
internal sealed record TensorNumbers(double[] Values, long[] Shape)
{
    /// <summary>The values of a tensor of floats, doubles or integers.</summary>
    /// <exception cref="ImportException">Another element type, external data, or not as many values as the shape asks for.</exception>
    public static TensorNumbers Read(TensorProto tensor)
    {
        if (tensor.IsExternal)
            throw new ImportException(ImportError.Unsupported, $"The values of tensor '{tensor.Name}' lie in another file; save the model as one file.");
        long count = tensor.ElementCount();
        double[] values = tensor.DataType switch
        {
            TensorDataType.Float => Raw(tensor, 4, bytes => BinaryPrimitives.ReadSingleLittleEndian(bytes)) ?? [.. tensor.FloatData],
            TensorDataType.Double => Raw(tensor, 8, BinaryPrimitives.ReadDoubleLittleEndian) ?? [.. tensor.DoubleData],
            TensorDataType.Int64 => Raw(tensor, 8, bytes => BinaryPrimitives.ReadInt64LittleEndian(bytes)) ?? [.. tensor.Int64Data],
            TensorDataType.Int32 => Raw(tensor, 4, bytes => BinaryPrimitives.ReadInt32LittleEndian(bytes)) ?? [.. tensor.Int32Data],
            TensorDataType.UInt8 => Raw(tensor, 1, bytes => bytes[0]) ?? [.. tensor.Int32Data],
            _ => throw new ImportException(ImportError.Unsupported, $"Tensor '{tensor.Name}' holds {tensor.DataType}; floats, doubles and integers are read."),
        };
        return values.Length == count
            ? new TensorNumbers(values, [.. tensor.Dims])
            : throw new ImportException(ImportError.LengthMismatch, $"Tensor '{tensor.Name}' needs {count} values and holds {values.Length}.");
    }

    private delegate double Reader(ReadOnlySpan<byte> bytes);

    private static double[]? Raw(TensorProto tensor, int size, Reader read)
    {
        if (tensor.RawData is not { } raw) return null;
        if (raw.Length % size != 0) throw new ImportException(ImportError.LengthMismatch, $"Tensor '{tensor.Name}' ends inside a value.");
        double[] values = new double[raw.Length / size];
        for (int i = 0; i < values.Length; i++) values[i] = read(raw.Span.Slice(i * size, size));
        return values;
    }
}
