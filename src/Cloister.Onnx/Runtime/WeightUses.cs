using Cloister.Onnx.Model;

namespace Cloister.Onnx.Runtime;

/// <summary>Which weights of a graph may be lent: those that nobody but operators reads which need no other layout of them.</summary>
internal static class WeightUses
{
    // Optimisations look into the weights of others: convolutions are laid out anew, constants folded, normalisations fused away. Being
    // wrong costs time, not correctness: what cannot be lent is then copied.
    private static readonly HashSet<string> ReadAsTheyAre = new(StringComparer.Ordinal)
    {
        "MatMul", "Gemm", "Gather", "GatherElements", "LSTM", "GRU", "RNN", "Add", "Sub", "Mul", "Div", "MatMulInteger", "QLinearMatMul",
        "MatMulNBits", "FusedMatMul", "GatherBlockQuantized", "TreeEnsembleRegressor", "TreeEnsembleClassifier",
    };

    /// <summary>The names of initialisers that may be lent.</summary>
    public static HashSet<string> Lendable(GraphProto graph)
    {
        var names = new HashSet<string>(graph.Initializers.Select(tensor => tensor.Name), StringComparer.Ordinal);
        names.Remove("");
        foreach (IGrouping<string, TensorProto> twice in graph.Initializers.GroupBy(tensor => tensor.Name, StringComparer.Ordinal).Where(group => group.Skip(1).Any()))
            names.Remove(twice.Key);
        // A caller may replace an initialiser that is an input too; an output is handed to him.
        foreach (ValueInfoProto value in graph.Inputs.Concat(graph.Outputs)) names.Remove(value.Name);
        var made = new HashSet<string>(graph.Inputs.Select(input => input.Name), StringComparer.Ordinal);
        foreach (NodeProto node in graph.Nodes)
        {
            // What has only constants to read will be folded.
            bool folded = !node.Inputs.Any(made.Contains);
            if (folded || !ReadAsTheyAre.Contains(node.OpType)) names.ExceptWith(node.Inputs);
            if (!folded || (node.Inputs.IsEmpty && node.OpType != "Constant")) made.UnionWith(node.Outputs);
            foreach (GraphProto inner in node.Attributes.SelectMany(Graphs)) RemoveReadBy(inner, names);
        }
        return names;
    }

    private static void RemoveReadBy(GraphProto inner, HashSet<string> names)
    {
        foreach (NodeProto node in inner.Nodes)
        {
            names.ExceptWith(node.Inputs);
            foreach (GraphProto deeper in node.Attributes.SelectMany(Graphs)) RemoveReadBy(deeper, names);
        }
        names.ExceptWith(inner.Outputs.Select(output => output.Name));
    }

    private static IEnumerable<GraphProto> Graphs(AttributeProto attribute) =>
        attribute.Graph is { } graph ? attribute.Graphs.Append(graph) : attribute.Graphs;
}
