using System.Collections.Immutable;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;

namespace Cloister.Onnx.Graphs;

/// <summary>An input as the model is measured with it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The type of its elements.</param>
/// <param name="Shape">Its shape for one item.</param>
/// <param name="Batch">The name of its first dimension where that is the batch; null where it is fixed.</param>
internal sealed record ProbeInput(string Name, TensorDataType Type, ImmutableArray<long> Shape, string? Batch);

/// <summary>Settles the shape of every input.</summary>
internal static class InputShapes
{
    private const long LargestInput = 1 << 28;
    private const string BatchName = "N";

    public static ImmutableArray<ProbeInput> Choose(GraphStructure structure, IReadOnlyDictionary<string, long[]>? given)
    {
        foreach (string name in given?.Keys ?? [])
        {
            if (!structure.Inputs.Exists(input => input.Name == name))
                throw new ArgumentException($"The model has no input '{name}'; it has {string.Join(", ", structure.Inputs.Select(input => $"'{input.Name}'"))}.");
        }
        return [.. structure.Inputs.Select(input => Choose(structure, input, given?.GetValueOrDefault(input.Name)))];
    }

    private static ProbeInput Choose(GraphStructure structure, ValueInfoProto input, long[]? given)
    {
        if (input.Type?.TensorType is not { } tensor)
            throw new GraphException(GraphError.ControlFlow, $"The input '{input.Name}' is not a tensor.");
        if (!TensorElementTypes.IsKnown((TensorElementType)tensor.ElementType))
            throw new GraphException(GraphError.UnknownOperator, $"The input '{input.Name}' has elements of type {tensor.ElementType}, which is not known here.");
        if (tensor.Shape is null && given is null)
            throw Free(structure, $"The input '{input.Name}' has no shape; give one.");
        ImmutableArray<Dimension> stated = tensor.Shape?.Dimensions ?? [.. given!.Select(_ => new Dimension())];
        if (given is not null && given.Length != stated.Length)
            throw new ArgumentException($"The input '{input.Name}' has {stated.Length} dimensions, {given.Length} are given.");

        long[] shape = new long[stated.Length];
        string? batch = null;
        for (int i = 0; i < shape.Length; i++)
        {
            if (stated[i].Value is > 0 and var value)
            {
                if (given is not null && given[i] != value)
                    throw new ArgumentException($"Dimension {i} of the input '{input.Name}' is {value}, {given[i]} is given.");
                shape[i] = value;
            }
            else if (i == 0 && (given is null || given[0] is 1 or -1))
            {
                shape[0] = 1;
                batch = stated[0].Name is { Length: > 0 } name ? name : BatchName;
            }
            else if (given is null)
            {
                throw Free(structure, $"Dimension {i}{(stated[i].Name is { } named ? $" ('{named}')" : "")} of the input '{input.Name}' is free; say how large it is.");
            }
            else
            {
                shape[i] = given[i] > 0 ? given[i] : throw new ArgumentException($"Dimension {i} of the input '{input.Name}' cannot be {given[i]}.");
            }
        }
        if (shape.Aggregate(UInt128.One, (product, dimension) => product > LargestInput ? product : product * (UInt128)dimension) > LargestInput)
            throw new GraphException(GraphError.TooLarge, $"One item of the input '{input.Name}' has more than {LargestInput} elements.");
        return new ProbeInput(input.Name, tensor.ElementType, [.. shape], batch);
    }

    // What a language model is refused for is that it is one; that its length is free is beside the point.
    private static GraphException Free(GraphStructure structure, string message) => LanguageModels.Recognise(structure, shapeOf: null) is { } reason
        ? LanguageModels.Refusal(reason)
        : new GraphException(GraphError.DynamicShape, message);
}
