using Cloister.Onnx.Model;

namespace Cloister.Homomorphic.Import.Onnx;

/// <summary>Reads what a graph wants to be given: one table of numbers, or columns one by one.</summary>
internal static class OnnxInputs
{
    /// <summary>Defines the inputs and returns their features' names; none where the graph does not say how many there are.</summary>
    public static string[] Read(OnnxGraph graph, GraphProto proto)
    {
        // Before IR version 4 constants are listed as inputs too.
        HashSet<string> constants = [.. proto.Initializers.Select(tensor => tensor.Name)];
        ValueInfoProto[] inputs = [.. proto.Inputs.Where(input => !constants.Contains(input.Name))];
        if (inputs.Length == 0) throw new ImportException(ImportError.BrokenGraph, "The graph has no input.");
        var names = new List<string>();
        foreach (ValueInfoProto input in inputs)
        {
            bool wide = IsDouble(input);
            if (Width(input) is { } width)
            {
                if (width < 1 || width > graph.Options.MaxFeatures - names.Count)
                    throw new ImportException(ImportError.TooLarge, $"The input '{input.Name}' takes the graph to more than {graph.Options.MaxFeatures} features, or to none.");
                int first = names.Count;
                graph.Define(input.Name, new ColumnsValue([.. Enumerable.Range(first, (int)width).Select(i => new Column(i))], wide));
                for (int i = 0; i < width; i++) names.Add(width == 1 && inputs.Length > 1 ? input.Name : $"{input.Name}_{i}");
            }
            else if (inputs.Length == 1)
            {
                graph.Define(input.Name, new ColumnsValue(null, wide));
            }
            else
            {
                throw new ImportException(ImportError.Unsupported, $"The input '{input.Name}' does not say how many columns it has.");
            }
        }
        graph.Features = names.Count > 0 ? names.Count : graph.Options.Features?.Count ?? 0;
        return [.. names];
    }

    private static bool IsDouble(ValueInfoProto input) => input.Type?.TensorType?.ElementType switch
    {
        TensorDataType.Float or TensorDataType.Int64 or TensorDataType.Int32 or null => false,
        TensorDataType.Double => true,
        TensorDataType.String => throw new ImportException(ImportError.Unsupported, $"The input '{input.Name}' is text; encode text as numbers before the model."),
        var other => throw new ImportException(ImportError.Unsupported, $"The input '{input.Name}' holds {other}; floats, doubles and integers are read."),
    };

    // [rows, columns]; null where the columns are not fixed.
    private static long? Width(ValueInfoProto input) => input.Type?.TensorType?.Shape?.Dimensions switch
    {
        null => null,
        { Length: 2 } shape => shape[1].Value is > 0 and var columns ? columns : null,
        var other => throw new ImportException(ImportError.Unsupported, $"The input '{input.Name}' has {other.Value.Length} dimensions; rows of features have two."),
    };
}
