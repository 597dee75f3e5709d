using System.Collections.Immutable;

namespace Cloister.Onnx.Graphs;

/// <summary>Finds the places where a graph can be cut.</summary>
public static class CutFinder
{
    /// <summary>
    /// Every cut of one tensor, and with <paramref name="maximumTensors"/> above 1 also cuts of several, from input to output. None contains a
    /// tensor that shows an input plainly, an output, or a tensor too many.
    /// </summary>
    /// <param name="graph">The graph.</param>
    /// <param name="maximumTensors">The most tensors that may cross.</param>
    /// <exception cref="GraphException"><see cref="GraphError.LanguageModel"/>.</exception>
    public static ImmutableArray<Cut> Find(ModelGraph graph, int maximumTensors = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumTensors, 1);
        GraphCutter.Demand(graph);
        FlowGraph flow = graph.Flow;
        var cuts = ImmutableArray.CreateBuilder<Cut>();
        var macs = new long[flow.Nodes.Length + 1];
        for (int i = 0; i < flow.Nodes.Length; i++)
            macs[i + 1] = macs[i] + graph.Nodes[flow.Nodes[i]].Macs;
        foreach (int value in flow.Dominators())
        {
            if (flow.Values[value].IsOutput || flow.Values[value].ShowsInput)
                continue;
            // What lies before a dominator in the order is before it in the graph.
            int before = flow.Producers[value] + 1;
            cuts.Add(GraphCutter.Describe(flow, [value], before, macs[before], flow.Weights.Before[before], flow.Weights.After[before]));
        }
        return cuts.ToImmutable();
    }
}
