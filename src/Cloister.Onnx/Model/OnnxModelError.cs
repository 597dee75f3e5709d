namespace Cloister.Onnx.Model;

/// <summary>Why the bytes of an ONNX model were refused. The numbers are stable: 1xx is the protobuf wire, 2xx the model's meaning.</summary>
public enum OnnxModelError
{
    /// <summary>A field says it is longer than the bytes that are left.</summary>
    Truncated = 101,

    /// <summary>A variable-length integer is longer than ten bytes, or does not fit its field.</summary>
    BadInteger = 102,

    /// <summary>A field number is zero or too large, or its wire type is unknown (groups are not used by ONNX).</summary>
    BadTag = 103,

    /// <summary>A known field carries another wire type than onnx.proto gives it.</summary>
    WrongWireType = 104,

    /// <summary>Graphs are nested deeper than <see cref="OnnxModelLimits.MaxDepth"/>.</summary>
    TooDeep = 105,

    /// <summary>There are more messages than <see cref="OnnxModelLimits.MaxMessages"/>, or the model is larger than 2 GiB.</summary>
    TooLarge = 106,

    /// <summary>A text is not UTF-8.</summary>
    BadText = 107,

    /// <summary>A field that may appear once appears twice, or two alternatives are both set. Readers disagree about the meaning of that.</summary>
    DuplicateField = 108,

    /// <summary>The model has no graph.</summary>
    MissingGraph = 201,

    /// <summary>A dimension is negative, or the number of elements does not fit 63 bits.</summary>
    BadShape = 202,

    /// <summary>A tensor's external data names no usable location, offset or length.</summary>
    BadExternalData = 203,

    /// <summary>A tensor's bytes do not fit its shape and element type.</summary>
    WrongDataLength = 204,

    /// <summary>A tensor's element type is unknown, or not the one asked for.</summary>
    WrongElementType = 205,
}
