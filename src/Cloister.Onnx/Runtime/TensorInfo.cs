namespace Cloister.Onnx.Runtime;

/// <summary>An input or output of a model.</summary>
/// <param name="Name">Its name in the graph.</param>
/// <param name="Type">The type of its elements.</param>
/// <param name="Shape">Its dimensions; -1 is a dimension that a call may choose.</param>
public sealed record TensorInfo(string Name, TensorElementType Type, IReadOnlyList<long> Shape)
{
    /// <summary>Why a tensor of this type and shape cannot stand here, in a sentence for its sender; null if it can.</summary>
    public string? Mismatch(TensorElementType type, ReadOnlySpan<long> shape)
    {
        if (type != Type)
            return $"'{Name}' wants elements of type {Type}, not {type}.";
        bool fits = shape.Length == Shape.Count;
        for (int i = 0; fits && i < shape.Length; i++)
            fits = Shape[i] < 0 ? shape[i] >= 0 : shape[i] == Shape[i];
        return fits ? null : $"'{Name}' wants shape {Text([.. Shape])}, not {Text(shape)}.";
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {Type}{Text([.. Shape])}";

    private static string Text(ReadOnlySpan<long> shape) => "[" + string.Join(",", shape.ToArray()) + "]";
}
