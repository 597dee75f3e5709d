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

    private readonly Dictionary<string, TensorProto> _known;
    private readonly HashSet<string> _read;

    private OpsetRaise(long from, GraphProto graph)
    {
        (_from, _known) = (from, ModelConstants.Of(graph));
        _read = [.. graph.Nodes.SelectMany(node => node.Inputs).Where(input => input.Length > 0), .. graph.Outputs.Select(output => output.Name)];
    }

    public static ModelProto Apply(ModelProto model)
    {
        long from = model.OpsetImport.Where(set => set.Domain is "" or "ai.onnx").Select(set => set.Version).FirstOrDefault();
        if (from < Oldest)
            throw GradientTape.Refused($"The graph is written in operator set {from}; gradients are written from {Oldest} on.");
        var raise = new OpsetRaise(from, model.Graph);
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
            case "Dropout" when node.Inputs.Length < 3 && !node.Outputs.Skip(1).Any(_read.Contains):
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
            case "Softmax" or "LogSoftmax" or "Hardmax" when _from < 13:
                Flattened(node);
                break;
            case "Upsample" or "Resize" when _from < 11:
                Resized(node);
                break;
            case "RoiAlign" when _from < 16:
                _nodes.Add(node with { Attributes = [.. node.Attributes, AttributeProto.Of("coordinate_transformation_mode", "output_half_pixel")] });
                break;
            case "Scatter" when _from < 11:
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

    // Before 11 places were scaled from the corner and the nearest was the one before, or, where a side shrinks, the one behind.
    private void Resized(NodeProto node)
    {
        string scales = node.Inputs.Length > 1 ? node.Inputs[1] : $"cloister/raised/{node.Outputs[0]}/scales";
        float[]? factors = Attributes.Find(node, "scales") is { } attribute ? [.. attribute.Floats] : _known.GetValueOrDefault(scales)?.ToFloats();
        if (node.Inputs.Length == 1)
            _constants.Add(TensorProto.Of(scales, [factors?.Length ?? 0], factors ?? []));
        bool nearest = Attributes.Text(node, "mode", "nearest") == "nearest";
        if (nearest && factors?.All(factor => factor >= 1) != true)
            throw GradientTape.Refused($"{node.OpType} '{node.Name}' of operator set {_from} shrinks, or by numbers that are computed, to the nearest.");
        _nodes.Add(node with
        {
            OpType = "Resize",
            Inputs = [node.Inputs[0], "", scales],
            Attributes =
            [
                AttributeProto.Of("mode", nearest ? "nearest" : "linear"), AttributeProto.Of("coordinate_transformation_mode", "asymmetric"),
                AttributeProto.Of("nearest_mode", "floor"),
            ],
        });
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
