using System.Collections.Immutable;
using Cloister.Onnx.Model;

namespace Cloister.Onnx.Graphs;

/// <summary>
/// Shapes that a graph reads of its values (Shape, Size), to reshape by. They hold nothing of an input but how many items there are, so that
/// they neither cross a cut nor hinder one: a part that does not have the value writes its shape down, and reads the number of items from
/// what it is given.
/// </summary>
internal sealed class ShapesToldAside
{
    private static readonly ImmutableArray<string> Steps = ["/given", "/place", "/size", "/item", "/items", "/times", "/following", "/fixed"];

    private readonly ModelGraph _graph;
    private readonly bool _asksForItems;

    public ShapesToldAside(ModelGraph graph, bool[] needed)
    {
        _graph = graph;
        GraphNode[] told = [.. graph.Nodes.Where(node => node.TellsShape && needed[node.Index])];
        _asksForItems = told.Any(node => !IsFixed(Read(node.Proto)));
    }

    /// <summary>Whether a part that is given these values can tell every shape that it may be asked for.</summary>
    public bool IsToldBy(IEnumerable<GraphValue> given) => !_asksForItems || given.Any(value => ItemsOf(value) is not null);

    /// <summary>Values of which a shape is read that is neither the same for any number of items nor in proportion to it.</summary>
    public static HashSet<string> Unforeseen(GraphStructure structure, MeasuredValues measured)
    {
        var unforeseen = new HashSet<string>(StringComparer.Ordinal);
        for (int i = 0; i < structure.NodeMeasures.Length; i++)
        {
            NodeProto node = structure.Model.Graph.Nodes[i];
            if (!structure.NodeMeasures[i])
                continue;
            MeasuredValue value = measured.Values[node.Inputs[0]];
            IEnumerable<(long One, long Two)> sizes = node.OpType == "Size" ? [(Count(value.One), Count(value.Two))] : value.One.Zip(value.Two);
            if (sizes.Any(size => size.Two != size.One && size.Two != 2 * size.One))
                unforeseen.Add(node.Inputs[0]);
        }
        return unforeseen;
    }

    /// <summary>Writes what a node of the graph tells of a value that the part does not have.</summary>
    /// <param name="node">Shape or Size.</param>
    /// <param name="given">The part's inputs.</param>
    /// <exception cref="GraphException"><see cref="GraphError.NotACut"/>: the number of items is asked for, and nothing that is given tells it.</exception>
    public IEnumerable<NodeProto> Write(NodeProto node, IReadOnlyList<GraphValue> given)
    {
        GraphValue read = Read(node);
        string name = node.Outputs[0];
        // Per dimension what it is apart from the items, and how many times them.
        long[] sizes = [.. read.Shape], times = [.. read.Shape.Select((size, i) => read.ShapeOfTwo[i] == size ? 0 : size)];
        long[] shape = [sizes.Length];
        if (node.OpType == "Size")
        {
            (sizes, times) = ([read.Elements], [IsFixed(read) ? 0 : read.Elements]);
            shape = [];
        }
        else
        {
            (Index start, Index end) = (At("start", 0, sizes.Length), At("end", sizes.Length, sizes.Length));
            (sizes, times) = start.Value < end.Value ? (sizes[start..end], times[start..end]) : ([], []);
            shape = [sizes.Length];
        }
        if (times.All(time => time == 0))
            return [Constant(name, shape, sizes)];
        if (given.Select(value => (Value: value, Place: ItemsOf(value))).FirstOrDefault(one => one.Place is not null) is not { Value: { } source, Place: { } place })
            throw new GraphException(GraphError.NotACut, $"The shape of '{read.Name}' is read behind the cut, and nothing that crosses tells how many items there are.");

        string own = Fresh(name);
        string[] step = [.. Steps.Select(one => own + one)];
        return
        [
            new NodeProto { OpType = "Shape", Inputs = [source.Name], Outputs = [step[0]] },
            Constant(step[1], node.OpType == "Size" ? [] : [1], [place]),
            new NodeProto { OpType = "Gather", Inputs = [step[0], step[1]], Outputs = [step[2]] },
            Constant(step[3], [], [source.Shape[place]]),
            new NodeProto { OpType = "Div", Inputs = [step[2], step[3]], Outputs = [step[4]] },
            Constant(step[5], shape, times),
            new NodeProto { OpType = "Mul", Inputs = [step[4], step[5]], Outputs = [step[6]] },
            Constant(step[7], shape, [.. sizes.Zip(times, (size, time) => time == 0 ? size : 0)]),
            new NodeProto { OpType = "Add", Inputs = [step[6], step[7]], Outputs = [name] },
        ];

        int At(string attribute, long otherwise, int rank)
        {
            long at = node.Attributes.FirstOrDefault(one => one.Name == attribute)?.Int ?? otherwise;
            return (int)Math.Clamp(at < 0 ? at + rank : at, 0, rank);
        }
    }

    private GraphValue Read(NodeProto node) => _graph.Values[node.Inputs[0]];

    private static bool IsFixed(GraphValue value) => value.Shape.AsSpan().SequenceEqual(value.ShapeOfTwo.AsSpan());

    private static int? ItemsOf(GraphValue value)
    {
        for (int i = 0; i < value.Shape.Length; i++)
        {
            if (value.Shape[i] > 0 && value.ShapeOfTwo[i] == 2 * value.Shape[i])
                return i;
        }
        return null;
    }

    private static long Count(ImmutableArray<long> shape) => shape.Aggregate(1L, (product, size) => product * size);

    private string Fresh(string name)
    {
        string own = name + "/told";
        while (Steps.Any(step => _graph.Values.ContainsKey(own + step)))
            own += "'";
        return own;
    }

    private static NodeProto Constant(string name, ReadOnlySpan<long> shape, ReadOnlySpan<long> values) => new()
    {
        OpType = "Constant",
        Outputs = [name],
        Attributes = [AttributeProto.Of("value", TensorProto.Of("", shape, values))],
    };
}
