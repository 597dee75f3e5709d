using Cloister.Onnx.Runtime;

namespace Cloister.Serving.TensorFlow;

/// <summary>TensorFlow's <c>DataType</c> (tensorflow/core/framework/types.proto): its numbers, and its names in messages.</summary>
internal static class DataTypes
{
    private static readonly (TensorElementType Type, int Number, string Name)[] All =
    [
        (TensorElementType.Float, 1, "float"),
        (TensorElementType.Double, 2, "double"),
        (TensorElementType.Int32, 3, "int32"),
        (TensorElementType.UInt8, 4, "uint8"),
        (TensorElementType.Int16, 5, "int16"),
        (TensorElementType.Int8, 6, "int8"),
        (TensorElementType.String, 7, "string"),
        (TensorElementType.Int64, 9, "int64"),
        (TensorElementType.Bool, 10, "bool"),
        (TensorElementType.BFloat16, 14, "bfloat16"),
        (TensorElementType.UInt16, 17, "uint16"),
        (TensorElementType.Float16, 19, "half"),
        (TensorElementType.UInt32, 22, "uint32"),
        (TensorElementType.UInt64, 23, "uint64"),
    ];

    /// <summary>The name in messages, such as <c>float</c>.</summary>
    public static string Name(TensorElementType type) => Array.Find(All, entry => entry.Type == type).Name ?? "unknown";

    /// <summary>The number in messages of gRPC; 0 (<c>DT_INVALID</c>) for a type that TensorFlow has not.</summary>
    public static int Number(TensorElementType type) => Array.Find(All, entry => entry.Type == type).Number;

    /// <summary>The type of this number; <see cref="TensorElementType.Undefined"/> if none is carried.</summary>
    public static TensorElementType Of(int number) => Array.Find(All, entry => entry.Number == number).Type;

    /// <summary>The name of a number in messages of gRPC, such as <c>DT_FLOAT</c>.</summary>
    public static string Label(int number) => Of(number) is var type && type == TensorElementType.Undefined ? $"DataType {number}" : "DT_" + Name(type).ToUpperInvariant();
}
