namespace Cloister.Onnx.Model;

/// <summary>Which field of an attribute holds its value (onnx.proto, AttributeProto.AttributeType). Others stay as unknown fields.</summary>
public enum AttributeType
{
    /// <summary>Not said.</summary>
    Undefined = 0,

    /// <summary>One float.</summary>
    Float = 1,

    /// <summary>One 64-bit integer.</summary>
    Int = 2,

    /// <summary>One string of bytes.</summary>
    String = 3,

    /// <summary>One tensor.</summary>
    Tensor = 4,

    /// <summary>One subgraph.</summary>
    Graph = 5,

    /// <summary>Floats.</summary>
    Floats = 6,

    /// <summary>64-bit integers.</summary>
    Ints = 7,

    /// <summary>Strings of bytes.</summary>
    Strings = 8,

    /// <summary>Tensors.</summary>
    Tensors = 9,

    /// <summary>Subgraphs.</summary>
    Graphs = 10,

    /// <summary>A sparse tensor.</summary>
    SparseTensor = 11,

    /// <summary>Sparse tensors.</summary>
    SparseTensors = 12,

    /// <summary>A type.</summary>
    TypeProto = 13,

    /// <summary>Types.</summary>
    TypeProtos = 14,
}
