using Cloister.Onnx.Model;

namespace Cloister.Onnx.Graphs;

/// <summary>Which constants the nodes on the way need, directly or through nodes that compute from constants only.</summary>
internal sealed class FlowWeights
{
    private readonly ModelGraph _graph;
    private readonly long[] _bytes;
    private readonly int[][] _nodeWeights, _nodeConstants;
    private readonly bool[] _given;

    public FlowWeights(ModelGraph graph, int[] onTheWay)
    {
        _graph = graph;
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        var bytes = new List<long>();
        foreach (TensorProto weight in graph.Model.Graph.Initializers)
        {
            ids.Add(weight.Name, bytes.Count);
            bytes.Add(GraphWeights.Bytes(weight));
        }
        int count = graph.Nodes.Length;
        _nodeWeights = new int[count][];
        _nodeConstants = new int[count][];
        _given = new bool[count];
        for (int i = 0; i < count; i++)
        {
            NodeProto node = graph.Nodes[i].Proto;
            List<int> weights = [.. node.Inputs.Distinct(StringComparer.Ordinal).Where(ids.ContainsKey).Select(name => ids[name])];
            if (GraphWeights.ConstantBytes(node) is > 0 and var own)
            {
                weights.Add(bytes.Count);
                bytes.Add(own);
            }
            _nodeWeights[i] = [.. weights];
            _nodeConstants[i] =
            [
                .. node.Inputs.Where(name => name.Length > 0).Select(name => graph.Values[name].Producer)
                    .Where(producer => producer != GraphValue.NoNode && !graph.Nodes[producer].DependsOnInput).Distinct(),
            ];
            _given[i] = !graph.Nodes[i].DependsOnInput && node.Outputs.Any(name => name.Length > 0 && graph.Values[name].IsOutput);
        }
        _bytes = [.. bytes];
        (Before, After) = Sums(onTheWay);
        Bytes = After[0];
    }

    /// <summary>Bytes of all weights that the outputs depend on.</summary>
    public long Bytes { get; }

    /// <summary>Bytes of the weights that the first i nodes on the way need.</summary>
    public long[] Before { get; }

    /// <summary>Bytes of the weights that the nodes on the way from place i on need, and outputs that are constant.</summary>
    public long[] After { get; }

    /// <summary>Adds to a set of nodes those that compute from constants what it needs; with <paramref name="last"/> also outputs that are constant.</summary>
    public void Close(bool[] nodes, bool last)
    {
        for (int i = nodes.Length - 1; i >= 0; i--)
        {
            nodes[i] |= last && _given[i];
            if (!nodes[i])
                continue;
            foreach (int constant in _nodeConstants[i])
                nodes[constant] = true;
        }
    }

    /// <summary>Bytes of the weights that a closed set of nodes needs, each counted once.</summary>
    public long BytesOf(bool[] closed)
    {
        bool[] counted = new bool[_bytes.Length];
        long sum = 0;
        for (int i = 0; i < closed.Length; i++)
        {
            if (!closed[i])
                continue;
            foreach (int weight in _nodeWeights[i])
            {
                sum += counted[weight] ? 0 : _bytes[weight];
                counted[weight] = true;
            }
        }
        return sum;
    }

    // Each weight has a first and a last user on the way; the sums at every place follow from them in one pass.
    private (long[] Before, long[] After) Sums(int[] onTheWay)
    {
        int end = onTheWay.Length;
        int[] first = new int[_nodeWeights.Length], last = new int[_nodeWeights.Length];
        Array.Fill(first, int.MaxValue);
        Array.Fill(last, -1);
        for (int i = 0; i < end; i++)
            first[onTheWay[i]] = last[onTheWay[i]] = i;
        int[] weightFirst = new int[_bytes.Length], weightLast = new int[_bytes.Length];
        Array.Fill(weightFirst, int.MaxValue);
        Array.Fill(weightLast, -1);
        for (int i = _nodeWeights.Length - 1; i >= 0; i--)
        {
            if (_given[i])
                last[i] = end;
            if (last[i] < 0)
                continue;
            foreach (int constant in _nodeConstants[i])
                (first[constant], last[constant]) = (Math.Min(first[constant], first[i]), Math.Max(last[constant], last[i]));
            foreach (int weight in _nodeWeights[i])
                (weightFirst[weight], weightLast[weight]) = (Math.Min(weightFirst[weight], first[i]), Math.Max(weightLast[weight], last[i]));
        }
        long[] before = new long[end + 1], after = new long[end + 1];
        for (int weight = 0; weight < _bytes.Length; weight++)
        {
            if (weightFirst[weight] < end)
                before[weightFirst[weight] + 1] += _bytes[weight];
            if (weightLast[weight] >= 0)
                after[weightLast[weight]] += _bytes[weight];
        }
        for (int i = 1; i <= end; i++)
            before[i] += before[i - 1];
        for (int i = end - 1; i >= 0; i--)
            after[i] += after[i + 1];
        return (before, after);
    }
}
