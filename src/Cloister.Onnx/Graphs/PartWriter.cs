using System.Collections.Immutable;
using Cloister.Onnx.Model;

namespace Cloister.Onnx.Graphs;

/// <summary>
/// Writes a part of a graph as a model of its own. It keeps the IR version, the operator sets the part uses, its operators with their
/// attributes, its weights, and the names of values, which bind them. It leaves out whatever else the whole says of itself: the producer,
/// names, texts and metadata of model, graph, nodes and tensors, and the types of values between nodes. Shapes of values that are in another
/// part are written down.
/// </summary>
internal sealed class PartWriter(ModelGraph graph)
{
    public ModelProto Write(string name, bool[] nodes, IReadOnlyList<GraphValue> inputs, IReadOnlyList<GraphValue> outputs)
    {
        HashSet<string> given = [.. inputs.Select(input => input.Name)];
        NodeProto[] kept = [.. graph.Nodes.Where(node => nodes[node.Index]).SelectMany(node => Written(node, nodes, given, inputs))];
        var read = kept.SelectMany(node => node.Inputs).ToHashSet(StringComparer.Ordinal);
        ImmutableArray<TensorProto> weights = [.. graph.Model.Graph.Initializers.Where(weight => read.Contains(weight.Name)).Select(Bare)];
        var domains = kept.Select(node => OperatorNames.Domain(node.Domain)).Append("").ToHashSet(StringComparer.Ordinal);
        var own = weights.Select(weight => weight.Name).ToHashSet(StringComparer.Ordinal);
        return new ModelProto
        {
            IrVersion = graph.Model.IrVersion,
            OpsetImport =
            [
                .. graph.Model.OpsetImport.Where(opset => domains.Contains(OperatorNames.Domain(opset.Domain)))
                    .Select(opset => opset with { UnknownFields = default }),
            ],
            Graph = new GraphProto
            {
                Name = name,
                Nodes = [.. kept],
                Initializers = weights,
                // A weight that the whole lists as an input is listed again: whether it is constant decides what ONNX Runtime folds.
                Inputs =
                [
                    .. inputs.Select(Typed),
                    .. graph.Model.Graph.Inputs.Where(input => own.Contains(input.Name)).Select(input => Typed(graph.Values[input.Name])),
                ],
                Outputs = [.. outputs.Select(Typed)],
            },
        };
    }

    private IEnumerable<NodeProto> Written(GraphNode node, bool[] nodes, HashSet<string> given, IReadOnlyList<GraphValue> inputs)
    {
        if (!node.TellsShape || given.Contains(node.Proto.Inputs[0]))
            return [Bare(node.Proto)];
        int producer = graph.Values[node.Proto.Inputs[0]].Producer;
        return producer != GraphValue.NoNode && nodes[producer] ? [Bare(node.Proto)] : graph.Aside.Write(node.Proto, inputs);
    }

    private static ValueInfoProto Typed(GraphValue value) =>
        ValueInfoProto.Tensor(value.Name, (TensorDataType)value.Type, [.. value.Dimensions]);

    private static NodeProto Bare(NodeProto node) =>
        node with { Name = "", UnknownFields = default, Attributes = [.. node.Attributes.Select(Bare)] };

    // Sparse tensors and types are fields that are kept unread; of the rest only the text of an attribute is unknown.
    private static AttributeProto Bare(AttributeProto attribute) => attribute with
    {
        Tensor = attribute.Tensor is { } tensor ? Bare(tensor) with { Name = "" } : null,
        Tensors = [.. attribute.Tensors.Select(tensor => Bare(tensor) with { Name = "" })],
        UnknownFields = UnknownFields.WithoutText(attribute),
    };

    private static TensorProto Bare(TensorProto tensor) => tensor with { UnknownFields = default };
}
