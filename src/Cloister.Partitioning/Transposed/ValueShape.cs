using System.Collections.Immutable;
using Cloister.Onnx.Runtime;

namespace Cloister.Partitioning.Transposed;

/// <summary>What a value of a graph is.</summary>
/// <param name="Type">The type of its elements.</param>
/// <param name="Shape">Its dimensions.</param>
internal readonly record struct ValueShape(TensorElementType Type, ImmutableArray<long> Shape)
{
    /// <summary>Whether its elements are 32-bit floats, which gradients are written for.</summary>
    public bool IsFloat => Type == TensorElementType.Float;

    /// <summary>Whether its elements are fractions of another kind: a gradient passes there and is not written.</summary>
    public bool IsOtherFraction => Type is TensorElementType.Double or TensorElementType.Float16 or TensorElementType.BFloat16;
}
