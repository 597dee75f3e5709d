using Cloister.Onnx.Model;
using Cloister.Partitioning.Transposed;

namespace Cloister.Partitioning.Weights;

/// <summary>
/// How far two graphs are alike: node by node in the graphs' order, the same operators with the same attributes, wired the same way, with
/// weights of the same shapes. Names do not matter. Two exports of one network by one tool are alike; other orders of nodes are not seen through.
/// </summary>
internal sealed class GraphMatch
{
    private readonly Dictionary<string, TensorProto> _own, _known;
    private readonly Dictionary<string, string> _toKnown = [], _toOwn = [];

    private GraphMatch(GraphProto own, GraphProto known) =>
        (_own, _known) = (own.Initializers.ToDictionary(tensor => tensor.Name), known.Initializers.ToDictionary(tensor => tensor.Name));

    /// <summary>Values and weights of nodes that are alike, by their names in the first graph: their names in the second.</summary>
    public IReadOnlyDictionary<string, string> Names => _toKnown;

    /// <summary>Why nodes from some on are not alike; null where all are.</summary>
    public string? Mismatch { get; private set; }

    public static GraphMatch Of(GraphProto own, GraphProto known)
    {
        var match = new GraphMatch(own, known);
        if (own.Inputs.Length != known.Inputs.Length || !own.Inputs.Zip(known.Inputs).All(pair => match.Pair(pair.First.Name, pair.Second.Name)))
            match.Mismatch = "the inputs are others";
        for (int i = 0; match.Mismatch is null && i < Math.Max(own.Nodes.Length, known.Nodes.Length); i++)
        {
            if (i >= Math.Min(own.Nodes.Length, known.Nodes.Length))
                match.Mismatch = $"it has {own.Nodes.Length} nodes, the public model {known.Nodes.Length}";
            else if (match.Differs(own.Nodes[i], known.Nodes[i]) is { } problem)
                match.Mismatch = $"from node {i}, {own.Nodes[i].OpType} making '{own.Nodes[i].Outputs.FirstOrDefault()}', {problem}";
        }
        return match;
    }

    private string? Differs(NodeProto own, NodeProto known)
    {
        if (own.OpType != known.OpType || Domain(own) != Domain(known))
            return $"which is {known.OpType} in the public model";
        if (own.Inputs.Length != known.Inputs.Length || own.Outputs.Length != known.Outputs.Length)
            return "which has other inputs or outputs in the public model";
        if (own.Attributes.Length != known.Attributes.Length || !own.Attributes.All(attribute => known.Attributes.Any(other => Same(attribute, other))))
            return "which has other attributes in the public model";
        for (int i = 0; i < own.Inputs.Length; i++)
        {
            TensorProto? weight = _own.GetValueOrDefault(own.Inputs[i]), other = _known.GetValueOrDefault(known.Inputs[i]);
            if (weight is null != other is null || (weight is not null && !weight.Dims.AsSpan().SequenceEqual(other!.Dims.AsSpan())))
                return $"whose weights are [{Shape(weight)}] here and [{Shape(other)}] in the public model";
            if (weight is not null && !SamePlaces(weight, other!))
                return $"whose constants '{weight.Name}' are others in the public model";
            if (!Pair(own.Inputs[i], known.Inputs[i]))
                return "which is wired in another way in the public model";
        }
        return own.Outputs.Zip(known.Outputs).All(pair => Pair(pair.First, pair.Second)) ? null : "which is wired in another way in the public model";
    }

    private bool Pair(string own, string known)
    {
        if (own.Length == 0 || known.Length == 0)
            return own.Length == known.Length;
        return _toKnown.TryAdd(own, known) ? _toOwn.TryAdd(known, own) : _toKnown[own] == known;
    }

    // Whole numbers are shapes, axes and places: they are the graph's, not weights.
    private static bool SamePlaces(TensorProto own, TensorProto known) =>
        own.DataType != TensorDataType.Int64 && known.DataType != TensorDataType.Int64
        || ModelConstants.Integers(own) is { } one && ModelConstants.Integers(known) is { } other && one.AsSpan().SequenceEqual(other);

    private static bool Same(AttributeProto one, AttributeProto other) =>
        one.Name == other.Name && one.Type == other.Type && one.Float == other.Float && one.Int == other.Int
        && (one.String ?? default).Span.SequenceEqual((other.String ?? default).Span)
        && one.Ints.AsSpan().SequenceEqual(other.Ints.AsSpan()) && one.Floats.AsSpan().SequenceEqual(other.Floats.AsSpan())
        && one.Strings.Length == other.Strings.Length && one.Strings.Zip(other.Strings).All(pair => pair.First.Span.SequenceEqual(pair.Second.Span))
        && one.Graph is null && other.Graph is null && one.Graphs.IsEmpty && other.Graphs.IsEmpty
        && (one.Tensor is null == other.Tensor is null) && (one.Tensor?.Dims ?? []).AsSpan().SequenceEqual((other.Tensor?.Dims ?? []).AsSpan());

    private static string Domain(NodeProto node) => node.Domain == "ai.onnx" ? "" : node.Domain;

    private static string Shape(TensorProto? tensor) => tensor is null ? "computed" : string.Join(", ", tensor.Dims);
}
