namespace Cloister.Onnx.Model;

/// <summary>Sizes of tensors from shapes that somebody else wrote.</summary>
internal static class TensorSize
{
    public static long Elements(ReadOnlySpan<long> dims, string tensor)
    {
        long count = 1;
        bool empty = false;
        foreach (long dim in dims)
        {
            if (dim < 0)
                throw new OnnxModelException(OnnxModelError.BadShape, $"Tensor '{tensor}' has the negative dimension {dim}.");
            empty |= dim == 0;
            if (dim != 0 && count > long.MaxValue / dim)
                throw new OnnxModelException(OnnxModelError.BadShape, $"The elements of tensor '{tensor}' do not fit 63 bits.");
            count *= dim == 0 ? 1 : dim;
        }

        return empty ? 0 : count;
    }

    /// <summary>Bytes of the elements outside the message; strings have no fixed size and cannot lie there.</summary>
    public static long Bytes(TensorDataType type, long elements, string tensor)
    {
        int bits = type switch
        {
            TensorDataType.UInt4 or TensorDataType.Int4 or TensorDataType.Float4E2M1 => 4,
            TensorDataType.UInt8 or TensorDataType.Int8 or TensorDataType.Bool or (>= TensorDataType.Float8E4M3FN and <= TensorDataType.Float8E5M2FNUZ) => 8,
            TensorDataType.UInt16 or TensorDataType.Int16 or TensorDataType.Float16 or TensorDataType.BFloat16 => 16,
            TensorDataType.Float or TensorDataType.Int32 or TensorDataType.UInt32 => 32,
            TensorDataType.Double or TensorDataType.Int64 or TensorDataType.UInt64 or TensorDataType.Complex64 => 64,
            TensorDataType.Complex128 => 128,
            _ => throw new OnnxModelException(OnnxModelError.WrongElementType, $"Tensor '{tensor}' has element type {type}, whose elements have no fixed size."),
        };
        UInt128 bytes = ((UInt128)elements * (UInt128)bits + 7) / 8;
        return bytes <= long.MaxValue
            ? (long)bytes
            : throw new OnnxModelException(OnnxModelError.BadShape, $"The bytes of tensor '{tensor}' do not fit 63 bits.");
    }
}
