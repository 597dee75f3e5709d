using Cloister.Onnx.Model;

namespace Cloister.Partitioning.Transposed;

/// <summary>
/// Writes a graph of an older operator set in the one that gradients need (16: ScatterElements adds). What changed on the way, by
/// https://github.com/onnx/onnx/blob/main/docs/Changelog.md: attributes became inputs, Softmax lost its flattening, Dropout is idle.
/// </summary>
internal sealed class OpsetRaise
{
    private const long Oldest = 7, Wanted = 16;

    private readonly long _from;
    private readonly List<NodeProto> _nodes = [];
    private readonly List<TensorProto> _constants = [];

    private OpsetRaise(long from) => _from = from;

    public static ModelProto Apply(ModelProto model)
    {
        long from = model.OpsetImport.Where(set => set.Domain is "" or "ai.onnx").Select(set => set.Version).FirstOrDefault();
        if (from < Oldest)
            throw GradientTape.Refused($"The graph is written in operator set {from}; gradients are written from {Oldest} on.");
        var raise = new OpsetRaise(from);
        foreach (NodeProto node in model.Graph.Nodes)
            raise.Add(node);
        return model with
        {
            OpsetImport = [.. model.OpsetImport.Select(set => set.Domain is "" or "ai.onnx" ? set with { Version = Math.Max(from, Wanted) } : set)],
            Graph = model.Graph with { Nodes = [.. raise._nodes], Initializers = [.. model.Graph.Initializers, .. raise._constants] },
        };
    }

    private void Add(NodeProto node)
    {
        switch (node.Domain is "" or "ai.onnx" ? node.OpType : "")
        {
            case "Dropout" when node.Inputs.Length < 3 && (node.Outputs.Length == 1 || node.Outputs[1].Length == 0):
                _nodes.Add(node with { OpType = "Identity", Inputs = [node.Inputs[0]], Outputs = [node.Outputs[0]], Attributes = [] });
                break;
            case "BatchNormalization" when _from < 14:
                if (node.Outputs.Length > 1 || Attributes.Integer(node, "spatial", 1) != 1)
                    throw GradientTape.Refused($"BatchNormalization '{node.Name}' is one for training, or one a place.");
                _nodes.Add(Without(node, "spatial"));
                break;
            case "Clip" when _from < 11:
                Moved(node, Float(node, "min"), Float(node, "max"));
                break;
            case "Pad" when _from < 11:
                Moved(node, Integers(node, "pads"), Float(node, "value"));
                break;
            case "Slice" when _from < 10:
                Moved(node, Integers(node, "starts"), Integers(node, "ends"), Integers(node, "axes"));
                break;
            case "Squeeze" or "Unsqueeze" or "ReduceSum" when _from < 13:
                Moved(node, Integers(node, "axes"));
                break;
            case "Split" when _from < 13:
                Moved(node, Integers(node, "split"));
                break;
            case "Softmax" or "LogSoftmax" when _from < 13:
                Flattened(node);
                break;
            case "Upsample" or "Scatter" or "Resize" when _from < 11:
                throw GradientTape.Refused($"The operator {node.OpType} (node '{node.Name}') of operator set {_from} has no gradient rule here.");
            default:
                _nodes.Add(node);
                break;
        }
    }

    // Before 13, what lies from the axis on is one dimension, and what lies before it another.
    private void Flattened(NodeProto node)
    {
        string name = "cloister/raised/" + node.Outputs[0], input = node.Inputs[0];
        AttributeProto axis = AttributeProto.Of("axis", Attributes.Integer(node, "axis", 1));
        _nodes.Add(new NodeProto { OpType = "Shape", Name = name + "/shape", Inputs = [input], Outputs = [name + "/shape"] });
        _nodes.Add(new NodeProto { OpType = "Flatten", Name = name + "/flat", Inputs = [input], Outputs = [name + "/flat"], Attributes = [axis] });
        _nodes.Add(node with { Inputs = [name + "/flat"], Outputs = [name], Attributes = [AttributeProto.Of("axis", 1L)] });
        _nodes.Add(new NodeProto { OpType = "Reshape", Name = name + "/whole", Inputs = [name, name + "/shape"], Outputs = node.Outputs });
    }

    private void Moved(NodeProto node, params ReadOnlySpan<(string Attribute, TensorProto? Value)> moved)
    {
        var inputs = new List<string>(node.Inputs);
        foreach ((string attribute, TensorProto? value) in moved)
        {
            string name = value is null ? "" : $"cloister/raised/{node.Outputs[0]}/{attribute}";
            inputs.Add(name);
            if (value is not null)
                _constants.Add(value with { Name = name });
        }
        while (inputs[^1].Length == 0)
            inputs.RemoveAt(inputs.Count - 1);
        string[] names = [.. moved.ToArray().Select(part => part.Attribute)];
        _nodes.Add(Without(node with { Inputs = [.. inputs] }, names));
    }

    private static (string, TensorProto?) Integers(NodeProto node, string name) =>
        (name, Attributes.Find(node, name) is { } found ? TensorProto.Of(name, [found.Ints.Length], found.Ints.AsSpan()) : null);

    private static (string, TensorProto?) Float(NodeProto node, string name) =>
        (name, Attributes.Find(node, name)?.Float is { } value ? TensorProto.Of(name, [], [value]) : null);

    private static NodeProto Without(NodeProto node, params string[] names) =>
        node with { Attributes = [.. node.Attributes.Where(attribute => !names.Contains(attribute.Name))] };
}
