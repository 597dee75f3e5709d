namespace Cloister.Onnx.Runtime;

/// <summary>The element type of a tensor; ONNX's numbers (<c>TensorProto.DataType</c>), which are ONNX Runtime's too.</summary>
public enum TensorElementType
{
    /// <summary>Not known.</summary>
    Undefined = 0,
    /// <summary><see cref="float"/>.</summary>
    Float = 1,
    /// <summary><see cref="byte"/>.</summary>
    UInt8 = 2,
    /// <summary><see cref="sbyte"/>.</summary>
    Int8 = 3,
    /// <summary><see cref="ushort"/>.</summary>
    UInt16 = 4,
    /// <summary><see cref="short"/>.</summary>
    Int16 = 5,
    /// <summary><see cref="int"/>.</summary>
    Int32 = 6,
    /// <summary><see cref="long"/>.</summary>
    Int64 = 7,
    /// <summary><see cref="string"/>.</summary>
    String = 8,
    /// <summary><see cref="bool"/>, one byte an element.</summary>
    Bool = 9,
    /// <summary><see cref="Half"/>.</summary>
    Float16 = 10,
    /// <summary><see cref="double"/>.</summary>
    Double = 11,
    /// <summary><see cref="uint"/>.</summary>
    UInt32 = 12,
    /// <summary><see cref="ulong"/>.</summary>
    UInt64 = 13,
    /// <summary>Two floats.</summary>
    Complex64 = 14,
    /// <summary>Two doubles.</summary>
    Complex128 = 15,
    /// <summary><see cref="Runtime.BFloat16"/>: the upper half of a float, two bytes.</summary>
    BFloat16 = 16,
    /// <summary>One byte: float8 E4M3FN.</summary>
    Float8E4M3FN = 17,
    /// <summary>One byte: float8 E4M3FNUZ.</summary>
    Float8E4M3FNUZ = 18,
    /// <summary>One byte: float8 E5M2.</summary>
    Float8E5M2 = 19,
    /// <summary>One byte: float8 E5M2FNUZ.</summary>
    Float8E5M2FNUZ = 20,
    /// <summary>Four bits, two elements a byte.</summary>
    UInt4 = 21,
    /// <summary>Four bits, two elements a byte.</summary>
    Int4 = 22,
}

/// <summary>Sizes and .NET types of <see cref="TensorElementType"/>.</summary>
public static class TensorElementTypes
{
    /// <summary>The type whose elements are <typeparamref name="T"/>.</summary>
    /// <exception cref="ArgumentException">No tensor has such elements.</exception>
    public static TensorElementType Of<T>() where T : unmanaged =>
        typeof(T) == typeof(float) ? TensorElementType.Float
        : typeof(T) == typeof(byte) ? TensorElementType.UInt8
        : typeof(T) == typeof(sbyte) ? TensorElementType.Int8
        : typeof(T) == typeof(ushort) ? TensorElementType.UInt16
        : typeof(T) == typeof(short) ? TensorElementType.Int16
        : typeof(T) == typeof(int) ? TensorElementType.Int32
        : typeof(T) == typeof(long) ? TensorElementType.Int64
        : typeof(T) == typeof(bool) ? TensorElementType.Bool
        : typeof(T) == typeof(Half) ? TensorElementType.Float16
        : typeof(T) == typeof(BFloat16) ? TensorElementType.BFloat16
        : typeof(T) == typeof(double) ? TensorElementType.Double
        : typeof(T) == typeof(uint) ? TensorElementType.UInt32
        : typeof(T) == typeof(ulong) ? TensorElementType.UInt64
        : throw new ArgumentException($"No tensor has elements of {typeof(T).Name}.");

    /// <summary>Whether a tensor can have such elements.</summary>
    internal static bool IsKnown(TensorElementType type) => type is > TensorElementType.Undefined and <= TensorElementType.Int4;

    /// <summary>The bytes that <paramref name="count"/> elements take.</summary>
    /// <exception cref="ArgumentException">The type has no fixed size (<see cref="TensorElementType.String"/>) or is not known.</exception>
    /// <exception cref="OverflowException">The size does not fit 63 bits.</exception>
    public static long ByteLength(this TensorElementType type, long count) => type switch
    {
        TensorElementType.UInt8 or TensorElementType.Int8 or TensorElementType.Bool
            or TensorElementType.Float8E4M3FN or TensorElementType.Float8E4M3FNUZ
            or TensorElementType.Float8E5M2 or TensorElementType.Float8E5M2FNUZ => count,
        TensorElementType.UInt16 or TensorElementType.Int16 or TensorElementType.Float16 or TensorElementType.BFloat16 => checked(count * 2),
        TensorElementType.Float or TensorElementType.Int32 or TensorElementType.UInt32 => checked(count * 4),
        TensorElementType.Double or TensorElementType.Int64 or TensorElementType.UInt64 or TensorElementType.Complex64 => checked(count * 8),
        TensorElementType.Complex128 => checked(count * 16),
        TensorElementType.UInt4 or TensorElementType.Int4 => (count / 2) + (count % 2),
        _ => throw new ArgumentException($"Elements of type {type} have no fixed size.", nameof(type)),
    };
}
