using System.Collections.Immutable;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;

namespace Cloister.Partitioning.Weights;

/// <summary>The attacked model beside a public one: whose weights are where, and what somebody can put together of both.</summary>
internal sealed class SurrogateModel
{
    private readonly HashSet<string> _outside, _tail;
    private readonly GraphMatch? _match;
    private readonly Dictionary<string, TensorProto> _known;

    private SurrogateModel(ModelProto model, HashSet<string> outside, HashSet<string> tail, HashSet<string> used, GraphMatch? match, ModelProto? known)
    {
        (Model, _outside, _tail, _match) = (model, outside, tail, match);
        _known = known?.Graph.Initializers.ToDictionary(tensor => tensor.Name) ?? [];
        Used = [.. model.Graph.Initializers.Where(tensor => used.Contains(tensor.Name) && PlainModel.IsParameter(tensor))];
    }

    /// <summary>The attacked model.</summary>
    public ModelProto Model { get; }

    /// <summary>Its weights.</summary>
    public ImmutableArray<TensorProto> Used { get; }

    /// <summary>Why nodes from some on are not alike in both models; null where all are, or there is no public model.</summary>
    public string? Mismatch => _match?.Mismatch;

    /// <summary>Reads both models and cuts the attacked one.</summary>
    /// <exception cref="GraphException">The model cannot be cut there.</exception>
    public static SurrogateModel Of(ModelProto model, ModelProto? known, Cut cut, Cut? tail, long[] shape)
    {
        ModelProto plain = PlainModel.Of(model);
        ModelGraph graph = Read(plain, shape);
        PartitionedModel parts = GraphCutter.Split(graph, cut.Tensors, tail?.Tensors);
        HashSet<string> outside = Weights(parts.Back), front = Weights(parts.Front), tailAlone = [.. parts.Tail is null ? [] : Weights(parts.Tail).Except(front).Except(outside)];
        ModelProto? other = known is null ? null : PlainModel.Of(known);
        return new SurrogateModel(plain, outside, tailAlone, [.. outside, .. front, .. tailAlone], other is null ? null : GraphMatch.Of(plain.Graph, other.Graph), other);
    }

    public static ModelGraph Read(ModelProto model, long[] shape) => model.Graph.Inputs is [{ } input]
        ? ModelGraph.Read(model, new Dictionary<string, long[]> { [input.Name] = shape })
        : throw new PartitioningException(PartitioningError.ModelRefused, "The model must have one input, the picture.");

    /// <summary>Whether every tensor of weights inside stands beside a public one.</summary>
    public bool AllInsideCompared => _match is not null && Used.Where(weight => !IsOutside(weight)).All(weight => weight.DataType == TensorDataType.Float && Counterpart(weight) is { DataType: TensorDataType.Float });

    public bool IsOutside(TensorProto weight) => _outside.Contains(weight.Name);

    /// <summary>Tensors of more than one weight beside their counterparts, as far as both models are alike.</summary>
    public ImmutableArray<WeightComparison> Compare()
    {
        var readers = Model.Graph.Nodes.SelectMany(node => node.Inputs.Select(input => (input, node.OpType))).GroupBy(pair => pair.input).ToDictionary(pairs => pairs.Key, pairs => pairs.First().OpType);
        return
        [
            .. Used.Where(weight => weight is { DataType: TensorDataType.Float } && weight.ElementCount() > 1 && Counterpart(weight) is { DataType: TensorDataType.Float })
                .Select(weight => WeightComparison.Of(weight.Name, readers[weight.Name], IsOutside(weight), weight.ToFloats(), Counterpart(weight)!.ToFloats())),
        ];
    }

    /// <summary>The model as somebody outside has it: its own weights where they are outside, the public ones elsewhere; null where one has no counterpart.</summary>
    /// <param name="tail">Whether the tail is needed; else it is as it was, and not to be looked at.</param>
    public ModelProto? Surrogate(bool tail = true)
    {
        bool Needed(TensorProto weight) => !IsOutside(weight) && (tail || !_tail.Contains(weight.Name));
        if (_match is null || Used.Any(weight => Needed(weight) && Counterpart(weight) is null))
            return null;
        HashSet<string> inside = [.. Used.Where(Needed).Select(weight => weight.Name)];
        return Model with
        {
            Graph = Model.Graph with
            {
                Initializers = [.. Model.Graph.Initializers.Select(tensor => inside.Contains(tensor.Name) ? Counterpart(tensor)! with { Name = tensor.Name } : tensor)],
            },
        };
    }

    /// <summary>The names of values in the public model; null where one has no counterpart.</summary>
    public ImmutableArray<string>? Named(ImmutableArray<string> values) =>
        _match is not null && values.All(_match.Names.ContainsKey) ? [.. values.Select(value => _match.Names[value])] : null;

    private TensorProto? Counterpart(TensorProto weight) =>
        _match is not null && _match.Names.TryGetValue(weight.Name, out string? name) ? _known.GetValueOrDefault(name) : null;

    private static HashSet<string> Weights(ModelProto part) => [.. part.Graph.Initializers.Select(weight => weight.Name)];
}
