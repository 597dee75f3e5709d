using System.Collections.Immutable;

namespace Cloister.Onnx.Graphs;

/// <summary>
/// Cuts of several tensors. Taking nodes in a topological order, the values that are made and still wanted separate what was taken from
/// the rest; without its redundant values such a frontier is a cut. As every way leads over the dominators, each stretch between two of
/// them is searched by itself.
/// </summary>
internal static class Frontiers
{
    /// <summary>Node visits that a search may cost; beyond it only every n-th frontier is looked at.</summary>
    private const long LargestCost = 50_000_000;

    public static IEnumerable<int[]> Find(FlowGraph flow, ImmutableArray<int> dominators, int maximum)
    {
        Stretch[] stretches = [.. Stretches(flow, dominators)];
        long cost = stretches.Sum(stretch => 3L * stretch.Length * (flow.Graph.Nodes.Length + 2L * stretch.Length));
        int step = (int)Math.Max(1, cost / LargestCost);
        var separation = new Separation(flow);
        var found = new HashSet<string>(StringComparer.Ordinal);
        int turn = 0;
        foreach (Stretch stretch in stretches)
        {
            foreach (int[] order in Orders(flow, stretch))
            {
                foreach (IReadOnlyCollection<int> frontier in Along(flow, stretch, order))
                {
                    if (++turn % step != 0)
                        continue;
                    int[] cut = separation.Reduce(stretch, frontier);
                    if (cut.Length > 1 && cut.Length <= maximum && found.Add(string.Join(' ', cut)))
                        yield return cut;
                }
            }
        }
    }

    private static IEnumerable<Stretch> Stretches(FlowGraph flow, ImmutableArray<int> dominators)
    {
        int[] sources = flow.Inputs;
        int first = 0;
        foreach (int value in dominators)
        {
            int behind = flow.Producers[value] + 1;
            if (behind > first)
                yield return new Stretch(first, behind, sources, [value]);
            sources = [value];
            first = behind;
        }
        if (first < flow.Nodes.Length)
            yield return new Stretch(first, flow.Nodes.Length, sources, flow.Outputs);
    }

    private static IEnumerable<int[]> Orders(FlowGraph flow, Stretch stretch)
    {
        int[] model = [.. Enumerable.Range(stretch.First, stretch.Length)];
        yield return model;
        if (stretch.Length < 3)
            yield break;

        // The longest ways from the sources to a node, and from it to the sinks: sorting by either keeps every node behind what it reads.
        int[] since = new int[stretch.Length], until = new int[stretch.Length];
        foreach (int node in model)
            since[node - stretch.First] = 1 + Makers(flow, stretch, node).Select(maker => since[maker - stretch.First]).DefaultIfEmpty(-1).Max();
        foreach (int node in model.Reverse())
            foreach (int maker in Makers(flow, stretch, node))
                until[maker - stretch.First] = Math.Max(until[maker - stretch.First], 1 + until[node - stretch.First]);
        yield return [.. model.OrderBy(node => since[node - stretch.First])];
        yield return [.. model.OrderByDescending(node => until[node - stretch.First])];
    }

    private static IEnumerable<int> Makers(FlowGraph flow, Stretch stretch, int node) =>
        flow.NodeInputs[node].Select(value => flow.Producers[value]).Where(maker => maker >= stretch.First);

    private static IEnumerable<IReadOnlyCollection<int>> Along(FlowGraph flow, Stretch stretch, int[] order)
    {
        var wanted = new Dictionary<int, int>();
        foreach (int node in order)
            foreach (int value in flow.NodeInputs[node])
                wanted[value] = wanted.GetValueOrDefault(value) + 1;
        var live = new HashSet<int>(stretch.Sources);
        foreach (int node in order)
        {
            foreach (int value in flow.NodeInputs[node])
            {
                if (--wanted[value] == 0 && !flow.Values[value].IsOutput)
                    live.Remove(value);
            }
            live.UnionWith(flow.NodeOutputs[node]);
            // While the one value that everything comes from is live, it is the cut, and a known one.
            if (live.Count > 1 && !(stretch.Sources.Length == 1 && live.Contains(stretch.Sources[0])))
                yield return live;
        }
    }
}
