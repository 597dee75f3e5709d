using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;

namespace Cloister.Serving.Batching;

/// <summary>Which models and which requests can be joined along the first dimension.</summary>
internal static class BatchShape
{
    /// <summary>Why no requests of a model with these tensors can be joined; null if they may.</summary>
    public static string? Problem(IReadOnlyList<TensorInfo> inputs, IReadOnlyList<TensorInfo> outputs)
    {
        if (inputs.Count == 0 || outputs.Count == 0) return "it has no inputs or no outputs";
        foreach (TensorInfo input in inputs)
        {
            if (input.Type == TensorElementType.String) return $"its input '{input.Name}' takes texts";
            if (input.Shape is not [-1, ..]) return $"its input '{input.Name}' of shape {TensorShapes.Text([.. input.Shape])} has no free first dimension";
        }
        foreach (TensorInfo output in outputs)
            if (output.Shape is not [-1, ..]) return $"its output '{output.Name}' of shape {TensorShapes.Text([.. output.Shape])} has no free first dimension";
        return null;
    }

    /// <summary>How many items the inputs hold; null where they do not agree, or hold none: then they run by themselves.</summary>
    public static int? Items(IReadOnlyList<Tensor> inputs)
    {
        long items = inputs[0].Shape[0];
        foreach (Tensor input in inputs)
            if (input.Shape[0] != items) return null;
        return items is > 0 and <= int.MaxValue ? (int)items : null;
    }

    /// <summary>Whether two requests differ in nothing but the number of their items.</summary>
    public static bool Agree(IReadOnlyList<Tensor> one, IReadOnlyList<Tensor> other)
    {
        for (int i = 0; i < one.Count; i++)
            if (!one[i].Shape[1..].SequenceEqual(other[i].Shape[1..])) return false;
        return true;
    }

    /// <summary>Whether every output has one entry an item.</summary>
    public static bool Follows(IReadOnlyList<Tensor> outputs, long items)
    {
        foreach (Tensor output in outputs)
            if (output.Shape.Length == 0 || output.Shape[0] != items) return false;
        return true;
    }
}
