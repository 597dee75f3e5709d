using System.Collections.Immutable;

namespace Cloister.Onnx.Graphs;

/// <summary>
/// The part of a graph that lies between its inputs and its outputs, as numbers: nodes and values on a way from an input to an output,
/// in topological order. What is constant is not in it.
/// </summary>
internal sealed class FlowGraph
{
    public FlowGraph(ModelGraph graph)
    {
        Graph = graph;
        Nodes = [.. graph.Nodes.Where(node => node.OnTheWay).Select(node => node.Index)];
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        var values = new List<GraphValue>();
        foreach (GraphValue input in graph.Inputs)
            Add(input);
        Inputs = [.. Enumerable.Range(0, values.Count)];
        NodeInputs = new int[Nodes.Length][];
        NodeOutputs = new int[Nodes.Length][];
        for (int i = 0; i < Nodes.Length; i++)
        {
            GraphNode node = graph.Nodes[Nodes[i]];
            NodeInputs[i] = [.. node.Proto.Inputs.Distinct(StringComparer.Ordinal).Where(ids.ContainsKey).Select(name => ids[name])];
            int first = values.Count;
            foreach (string name in node.Proto.Outputs.Where(name => name.Length > 0))
                Add(graph.Values[name]);
            NodeOutputs[i] = [.. Enumerable.Range(first, values.Count - first)];
        }
        Values = [.. values];
        Ids = ids;
        Outputs = [.. Enumerable.Range(0, Values.Length).Where(value => Values[value].IsOutput)];
        Producers = new int[Values.Length];
        Array.Fill(Producers, -1);
        for (int i = 0; i < Nodes.Length; i++)
            foreach (int value in NodeOutputs[i])
                Producers[value] = i;
        Weights = new FlowWeights(graph, Nodes);

        void Add(GraphValue value)
        {
            if (!value.IsOutput && !value.Consumers.Any(consumer => graph.Nodes[consumer].OnTheWay))
                return;
            ids.Add(value.Name, values.Count);
            values.Add(value);
        }
    }

    public ModelGraph Graph { get; }

    /// <summary>Places in the whole graph of the nodes on the way.</summary>
    public int[] Nodes { get; }

    public int[][] NodeInputs { get; }

    public int[][] NodeOutputs { get; }

    /// <summary>Values on the way: the inputs, then what the nodes make, in their order.</summary>
    public ImmutableArray<GraphValue> Values { get; }

    public IReadOnlyDictionary<string, int> Ids { get; }

    public int[] Inputs { get; }

    public int[] Outputs { get; }

    /// <summary>Per value the node that makes it, among <see cref="Nodes"/>; -1 for inputs.</summary>
    public int[] Producers { get; }

    public FlowWeights Weights { get; }

    /// <summary>
    /// The values that dominate the outputs - every way from an input to an output leads over each of them - in order, inputs and outputs
    /// among them. Laid out in topological order, a vertex of a graph without cycles is a dominator exactly if no edge leads past it: a way
    /// that avoids it has an edge from before it to behind it, and the ends of such an edge lie on a way that cannot come by it. One pass.
    /// </summary>
    public ImmutableArray<int> Dominators()
    {
        // Places: 0 is before all inputs, then the values and nodes, then the end behind all outputs.
        int[] valuePlace = new int[Values.Length], nodePlace = new int[Nodes.Length];
        int place = 1;
        foreach (int input in Inputs)
            valuePlace[input] = place++;
        for (int i = 0; i < Nodes.Length; i++)
        {
            nodePlace[i] = place++;
            foreach (int value in NodeOutputs[i])
                valuePlace[value] = place++;
        }
        int end = place;
        int[] change = new int[end + 2];
        foreach (int input in Inputs)
            Pass(0, valuePlace[input]);
        for (int i = 0; i < Nodes.Length; i++)
        {
            foreach (int value in NodeInputs[i])
                Pass(valuePlace[value], nodePlace[i]);
            foreach (int value in NodeOutputs[i])
                Pass(nodePlace[i], valuePlace[value]);
        }
        foreach (int output in Outputs)
            Pass(valuePlace[output], end);

        int[] over = new int[end + 1];
        for (int i = 1; i <= end; i++)
            over[i] = over[i - 1] + change[i];
        return [.. Enumerable.Range(0, Values.Length).Where(value => over[valuePlace[value]] == 0)];

        void Pass(int from, int to)
        {
            change[from + 1]++;
            change[to]--;
        }
    }
}
