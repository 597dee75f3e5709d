using Cloister.Onnx.Runtime;

namespace Cloister.Serving.Engines;

/// <summary>The names of element types on the surfaces.</summary>
internal static class TensorTypes
{
    private static readonly (TensorElementType Type, string OpenInference, string TensorFlow)[] Names =
    [
        (TensorElementType.Float, "FP32", "DT_FLOAT"),
        (TensorElementType.Double, "FP64", "DT_DOUBLE"),
        (TensorElementType.Float16, "FP16", "DT_HALF"),
        (TensorElementType.BFloat16, "BF16", "DT_BFLOAT16"),
        (TensorElementType.Int8, "INT8", "DT_INT8"),
        (TensorElementType.Int16, "INT16", "DT_INT16"),
        (TensorElementType.Int32, "INT32", "DT_INT32"),
        (TensorElementType.Int64, "INT64", "DT_INT64"),
        (TensorElementType.UInt8, "UINT8", "DT_UINT8"),
        (TensorElementType.UInt16, "UINT16", "DT_UINT16"),
        (TensorElementType.UInt32, "UINT32", "DT_UINT32"),
        (TensorElementType.UInt64, "UINT64", "DT_UINT64"),
        (TensorElementType.Bool, "BOOL", "DT_BOOL"),
        (TensorElementType.String, "BYTES", "DT_STRING"),
    ];

    /// <summary>Whether the surfaces can carry such elements.</summary>
    public static bool IsCarried(TensorElementType type) => Of(type).OpenInference is not null;

    /// <summary>The datatype's name in the Open Inference Protocol (v2, "Tensor Data Types").</summary>
    public static string OpenInference(TensorElementType type) => Of(type).OpenInference;

    /// <summary>The type that the Open Inference Protocol names so; null if it names none that is carried.</summary>
    public static TensorElementType? FromOpenInference(ReadOnlySpan<char> name)
    {
        foreach ((TensorElementType type, string openInference, _) in Names)
            if (name.SequenceEqual(openInference)) return type;
        return null;
    }

    /// <summary>The type's name in TensorFlow's <c>DataType</c>.</summary>
    public static string TensorFlow(TensorElementType type) => Of(type).TensorFlow;

    // Asked for every tensor of every answer: a loop, where a lambda would be an allocation.
    private static (TensorElementType Type, string OpenInference, string TensorFlow) Of(TensorElementType type)
    {
        foreach ((TensorElementType Type, string OpenInference, string TensorFlow) name in Names)
            if (name.Type == type) return name;
        return default;
    }
}
