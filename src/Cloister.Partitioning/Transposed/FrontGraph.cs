using Cloister.Onnx.Model;

namespace Cloister.Partitioning.Transposed;

/// <summary>The part of a model that the tensors at a cut depend on, its outputs being copies of them; the model's input may be one of them.</summary>
internal static class FrontGraph
{
    public static ModelProto Of(ModelProto model, IReadOnlyList<string> tensors)
    {
        HashSet<string> needed = [.. tensors], made = [.. model.Graph.Inputs.Select(input => input.Name), .. model.Graph.Initializers.Select(tensor => tensor.Name)];
        made.UnionWith(model.Graph.Nodes.SelectMany(node => node.Outputs));
        if (tensors.FirstOrDefault(tensor => !made.Contains(tensor)) is { } missing)
            throw new PartitioningException(PartitioningError.CutRefused, $"The model has no tensor '{missing}'.");
        var nodes = new Stack<NodeProto>();
        foreach (NodeProto node in model.Graph.Nodes.Reverse().Where(node => node.Outputs.Any(needed.Contains)))
        {
            needed.UnionWith(node.Inputs.Where(input => input.Length > 0));
            nodes.Push(node);
        }
        NodeProto[] taps = [.. tensors.Select((tensor, i) => new NodeProto { OpType = "Identity", Name = Tap(i), Inputs = [tensor], Outputs = [Tap(i)] })];
        return model with
        {
            Graph = model.Graph with
            {
                Nodes = [.. nodes, .. taps],
                Initializers = [.. model.Graph.Initializers.Where(tensor => needed.Contains(tensor.Name))],
                Inputs = [.. model.Graph.Inputs.Where(input => needed.Contains(input.Name))],
                Outputs = [.. taps.Select(tap => new ValueInfoProto { Name = tap.Name })],
                ValueInfo = [],
            },
        };
    }

    /// <summary>The name of the copy of a tensor.</summary>
    public static string Tap(int place) => $"cloister/front/{place}";
}
