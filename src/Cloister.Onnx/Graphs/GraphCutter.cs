using System.Collections.Immutable;
using Cloister.Onnx.Model;

namespace Cloister.Onnx.Graphs;

/// <summary>Cuts a graph into models that run one after the other.</summary>
public static class GraphCutter
{
    private const int LongestWay = 8;

    /// <summary>Demands that the graph may be cut at all.</summary>
    /// <exception cref="GraphException"><see cref="GraphError.LanguageModel"/>.</exception>
    public static void Demand(ModelGraph graph)
    {
        if (graph.LanguageModelReason is { } reason)
            throw LanguageModels.Refusal(reason);
    }

    /// <summary>Demands that the named tensors cut the graph, each of them being needed for it and none showing an input.</summary>
    /// <exception cref="GraphException"><see cref="GraphError.NotACut"/>, <see cref="GraphError.LeaksInput"/> or <see cref="GraphError.LanguageModel"/>.</exception>
    public static Cut Demand(ModelGraph graph, IReadOnlyList<string> tensors)
    {
        Demand(graph);
        FlowGraph flow = graph.Flow;
        int[] set = Find(flow, tensors);
        var separation = new Separation(flow);
        Stretch whole = Stretch.Whole(flow);
        (List<int> met, int? arrived) = separation.Forward(whole, set);
        if (arrived is { } output)
            throw new GraphException(GraphError.NotACut, $"{Names(flow, set)} is no cut: {Way(flow, separation.WayTo(output))} passes beside.");
        if (separation.Reduce(whole, met) is { } least && least.Length < set.Length)
            throw new GraphException(
                GraphError.NotACut, $"{Names(flow, [.. set.Except(least)])} is one too many: {Names(flow, least)} cuts the graph without it.");
        if (!flow.Graph.Aside.IsToldBy(set.Select(value => flow.Values[value])))
            throw new GraphException(GraphError.NotACut, $"The shape of a value is read behind {Names(flow, set)}, which does not tell how many items there are.");
        return Describe(flow, set);
    }

    /// <summary>Cuts the graph at one or at two sets of tensors. Run one after the other, the parts are the whole.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="front">The tensors that leave FrontNet for BackNet.</param>
    /// <param name="tail">The tensors that leave BackNet for the tail; without them BackNet goes to the model's outputs.</param>
    /// <exception cref="GraphException">One of the sets is no cut, shows an input, or the second does not come after the first.</exception>
    public static PartitionedModel Split(ModelGraph graph, IReadOnlyList<string> front, IReadOnlyList<string>? tail = null)
    {
        FlowGraph flow = graph.Flow;
        Demand(graph, front);
        int[] first = Find(flow, front);
        bool[] before = NodesBefore(flow, first, []);
        if (tail is null)
        {
            bool[] back = NodesBefore(flow, flow.Outputs, first);
            return Parts(graph, (before, first), (back, []), null);
        }
        Demand(graph, tail);
        int[] second = Find(flow, tail);
        if (second.Intersect(first).Any())
            throw new GraphException(GraphError.NotACut, $"{Names(flow, [.. second.Intersect(first)])} is in both cuts; a tensor crosses once.");
        (List<int> beside, _) = new Separation(flow).Forward(Stretch.Whole(flow) with { Sinks = [] }, first.Concat(second));
        if (beside.Intersect(second).Any())
            throw new GraphException(GraphError.NotACut, $"{Names(flow, [.. beside.Intersect(second)])} does not come after the first cut.");
        return Parts(graph, (before, first), (NodesBefore(flow, second, first), second), NodesBefore(flow, flow.Outputs, second));
    }

    internal static Cut Describe(FlowGraph flow, int[] set)
    {
        bool[] before = NodesBefore(flow, set, []), after = NodesBefore(flow, flow.Outputs, set);
        long macs = 0;
        int nodes = 0;
        for (int i = 0; i < before.Length; i++)
        {
            macs += before[i] ? flow.Graph.Nodes[i].Macs : 0;
            nodes += before[i] ? 1 : 0;
        }
        flow.Weights.Close(before, last: false);
        flow.Weights.Close(after, last: true);
        return Describe(flow, set, nodes, macs, flow.Weights.BytesOf(before), flow.Weights.BytesOf(after));
    }

    internal static Cut Describe(FlowGraph flow, int[] set, int nodes, long macs, long weightsBefore, long weightsAfter) => new()
    {
        Tensors = [.. set.Select(value => flow.Values[value].Name)],
        Shapes = [.. set.Select(value => flow.Values[value].Shape)],
        NodesBefore = nodes,
        MacsBefore = macs,
        MacsWhole = flow.Graph.Macs,
        WeightBytesBefore = weightsBefore,
        WeightBytesAfter = weightsAfter,
        BoundaryBytes = set.Sum(value => flow.Values[value].Bytes),
        KeepsBits = !flow.Graph.FoldsInParts && set.All(value => RuntimeFusions.KeepsBits(flow.Graph, flow.Values[value])),
    };

    /// <summary>The nodes, by their places in the whole graph, that values need to be made if others are given.</summary>
    private static bool[] NodesBefore(FlowGraph flow, IEnumerable<int> wanted, IEnumerable<int> given)
    {
        bool[] nodes = new bool[flow.Graph.Nodes.Length];
        bool[] needed = new bool[flow.Values.Length];
        HashSet<int> have = [.. given];
        foreach (int value in wanted)
            needed[value] = true;
        for (int i = flow.Nodes.Length - 1; i >= 0; i--)
        {
            if (!flow.NodeOutputs[i].Any(value => needed[value] && !have.Contains(value)))
                continue;
            nodes[flow.Nodes[i]] = true;
            foreach (int value in flow.NodeInputs[i])
                needed[value] = true;
        }
        return nodes;
    }

    private static PartitionedModel Parts(ModelGraph graph, (bool[] Nodes, int[] Crossing) front, (bool[] Nodes, int[] Crossing) back, bool[]? tail)
    {
        FlowGraph flow = graph.Flow;
        flow.Weights.Close(front.Nodes, last: false);
        flow.Weights.Close(back.Nodes, last: tail is null);
        if (tail is not null)
            flow.Weights.Close(tail, last: true);
        GraphValue[] first = [.. front.Crossing.Select(value => flow.Values[value])], second = [.. back.Crossing.Select(value => flow.Values[value])];
        var parts = new PartWriter(graph);
        ModelProto frontNet = parts.Write("front", front.Nodes, graph.Inputs, first);
        ModelProto backNet = parts.Write("back", back.Nodes, first, tail is null ? graph.Outputs : second);
        ModelProto? tailNet = tail is null ? null : parts.Write("tail", tail, second, graph.Outputs);
        HashSet<string> others = [.. Weights(frontNet), .. tailNet is null ? [] : Weights(tailNet)];
        return new PartitionedModel(frontNet, backNet, tailNet) { SharedWeights = [.. Weights(backNet).Where(others.Contains)] };

        static IEnumerable<string> Weights(ModelProto part) => part.Graph.Initializers.Select(weight => weight.Name);
    }

    private static int[] Find(FlowGraph flow, IReadOnlyList<string> tensors)
    {
        if (tensors.Count == 0)
            throw new GraphException(GraphError.NotACut, "No tensor is named.");
        var set = new SortedSet<int>();
        foreach (string name in tensors)
        {
            if (!flow.Graph.Values.TryGetValue(name, out GraphValue? value))
                throw new GraphException(GraphError.NotACut, $"The graph has no tensor '{name}'.");
            if (value.ShowsInput)
                throw new GraphException(GraphError.LeaksInput, $"'{name}' is an input of the model, or one that was only moved about or changed value by value: it shows the input.");
            if (!value.DependsOnInput)
                throw new GraphException(GraphError.NotACut, $"'{name}' does not depend on what an input holds: nothing of an input crosses there.");
            if (value.IsOutput)
                throw new GraphException(GraphError.NotACut, $"'{name}' is an output of the model: nothing would be behind it.");
            if (!flow.Ids.TryGetValue(name, out int id))
                throw new GraphException(GraphError.NotACut, $"No output depends on '{name}'.");
            if (!set.Add(id))
                throw new GraphException(GraphError.NotACut, $"'{name}' is named twice.");
        }
        return [.. set];
    }

    private static string Names(FlowGraph flow, int[] set) => string.Join(", ", set.Select(value => $"'{flow.Values[value].Name}'"));

    private static string Way(FlowGraph flow, List<int> way)
    {
        string[] names = [.. way.Select(value => flow.Values[value].Name)];
        if (names.Length > LongestWay)
            names = [.. names[..(LongestWay / 2)], "...", .. names[^(LongestWay / 2)..]];
        return string.Join(" -> ", names);
    }
}
