namespace Cloister.Onnx.Model;

/// <summary>Element types as onnx.proto numbers them (TensorProto.DataType).</summary>
public enum TensorDataType
{
    /// <summary>Not said.</summary>
    Undefined = 0,

    /// <summary>IEEE binary32.</summary>
    Float = 1,

    /// <summary>8-bit unsigned.</summary>
    UInt8 = 2,

    /// <summary>8-bit signed.</summary>
    Int8 = 3,

    /// <summary>16-bit unsigned.</summary>
    UInt16 = 4,

    /// <summary>16-bit signed.</summary>
    Int16 = 5,

    /// <summary>32-bit signed.</summary>
    Int32 = 6,

    /// <summary>64-bit signed.</summary>
    Int64 = 7,

    /// <summary>Strings of bytes.</summary>
    String = 8,

    /// <summary>One byte, 0 or 1.</summary>
    Bool = 9,

    /// <summary>IEEE binary16.</summary>
    Float16 = 10,

    /// <summary>IEEE binary64.</summary>
    Double = 11,

    /// <summary>32-bit unsigned.</summary>
    UInt32 = 12,

    /// <summary>64-bit unsigned.</summary>
    UInt64 = 13,

    /// <summary>Two binary32.</summary>
    Complex64 = 14,

    /// <summary>Two binary64.</summary>
    Complex128 = 15,

    /// <summary>The upper half of a binary32.</summary>
    BFloat16 = 16,

    /// <summary>8-bit float, 4 exponent bits, finite.</summary>
    Float8E4M3FN = 17,

    /// <summary>8-bit float, 4 exponent bits, no negative zero.</summary>
    Float8E4M3FNUZ = 18,

    /// <summary>8-bit float, 5 exponent bits.</summary>
    Float8E5M2 = 19,

    /// <summary>8-bit float, 5 exponent bits, no negative zero.</summary>
    Float8E5M2FNUZ = 20,

    /// <summary>4-bit unsigned, two in a byte.</summary>
    UInt4 = 21,

    /// <summary>4-bit signed, two in a byte.</summary>
    Int4 = 22,

    /// <summary>4-bit float, two in a byte.</summary>
    Float4E2M1 = 23,
}
