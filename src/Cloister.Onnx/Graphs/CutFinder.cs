using System.Collections.Immutable;

namespace Cloister.Onnx.Graphs;

/// <summary>Finds the places where a graph can be cut.</summary>
public static class CutFinder
{
    /// <summary>
    /// Every cut of one tensor, and with <paramref name="maximumTensors"/> above 1 also cuts of several, from input to output. None contains a
    /// tensor that shows an input plainly, an output, a tensor too many, or one between operators that ONNX Runtime folds into one: the
    /// tensor behind these tells no more and costs no more.
    /// </summary>
    /// <param name="graph">The graph.</param>
    /// <param name="maximumTensors">
    /// The most tensors that may cross. Cuts of several are those that arise when the nodes are taken in three orders (the model's, as soon
    /// and as late as possible), without their redundant tensors; any other can be asked for by <see cref="ModelGraph.Cut"/>.
    /// </param>
    /// <exception cref="GraphException"><see cref="GraphError.LanguageModel"/>.</exception>
    public static ImmutableArray<Cut> Find(ModelGraph graph, int maximumTensors = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumTensors, 1);
        GraphCutter.Demand(graph);
        FlowGraph flow = graph.Flow;
        ImmutableArray<int> dominators = flow.Dominators();
        IEnumerable<Cut> cuts = Single(flow, dominators);
        if (maximumTensors > 1)
            cuts = cuts.Concat(Frontiers.Find(flow, dominators, maximumTensors).Where(set => IsOffered(flow, set)).Select(set => GraphCutter.Describe(flow, set)));
        return [.. cuts.OrderBy(cut => cut.NodesBefore).ThenBy(cut => cut.Tensors.Length).ThenBy(cut => cut.BoundaryBytes)];
    }

    private static IEnumerable<Cut> Single(FlowGraph flow, ImmutableArray<int> dominators)
    {
        long[] macs = new long[flow.Nodes.Length + 1];
        for (int i = 0; i < flow.Nodes.Length; i++)
            macs[i + 1] = macs[i] + flow.Graph.Nodes[flow.Nodes[i]].Macs;
        foreach (int value in dominators.Where(value => IsOffered(flow, [value])))
        {
            // What stands before a dominator in the order is before it in the graph.
            int before = flow.Producers[value] + 1;
            yield return GraphCutter.Describe(flow, [value], before, macs[before], flow.Weights.Before[before], flow.Weights.After[before]);
        }
    }

    private static bool IsOffered(FlowGraph flow, int[] set) =>
        set.All(value => flow.Values[value] is { IsOutput: false, ShowsInput: false } tensor && !RuntimeFusions.Splits(flow.Graph, tensor))
        && flow.Graph.Aside.IsToldBy(set.Select(value => flow.Values[value]));
}
