using Cloister.Onnx.Graphs;

namespace Cloister.Onnx.Tests.Graphs;

/// <summary>
/// The cuts of a graph of at most 64 values by their definition, from the file's nodes alone: sets of made values that every way from an
/// input to an output crosses, none of which can be spared. What is read of a value's shape is no way.
/// </summary>
internal sealed class EveryCut
{
    private readonly List<string> _names;
    private readonly (ulong Reads, ulong Makes)[] _nodes;
    private readonly ulong _inputs, _outputs;

    public EveryCut(ModelGraph graph, int mostTensors)
    {
        int inputs = graph.Inputs.Length;
        _names = [.. graph.Inputs.Select(input => input.Name), .. graph.Nodes.SelectMany(node => node.Proto.Outputs).Where(name => name.Length > 0)];
        Assert.True(_names.Count <= 64);
        _nodes = [.. graph.Nodes.Where(node => node.Proto.OpType != "Shape").Select(node => (Bits(node.Proto.Inputs), Bits(node.Proto.Outputs)))];
        _inputs = Bits(graph.Inputs.Select(input => input.Name));
        _outputs = Bits(graph.Outputs.Select(value => value.Name));
        Sets = [.. Chosen(inputs, mostTensors).Where(set => set != 0).Select(Names)];
        Cuts = [.. Sets.Select(Bits).Where(IsCut).Select(set => Key(Names(set)))];
    }

    public string[][] Sets { get; }

    public HashSet<string> Cuts { get; }

    public static string Key(IEnumerable<string> set) => string.Join(' ', set.Order(StringComparer.Ordinal));

    private bool IsCut(ulong set)
    {
        if ((set & _outputs) != 0 || Arrives(set))
            return false;
        for (ulong left = set; left != 0; left &= left - 1)
        {
            if (!Arrives(set & ~(left & ~(left - 1))))
                return false;
        }
        return true;
    }

    private bool Arrives(ulong without)
    {
        ulong reached = _inputs;
        foreach ((ulong reads, ulong makes) in _nodes)
            reached |= (reads & reached) != 0 ? makes & ~without : 0;
        return (reached & _outputs) != 0;
    }

    private ulong Bits(IEnumerable<string> names) => names.Select(name => _names.IndexOf(name)).Where(place => place >= 0).Aggregate(0UL, (bits, place) => bits | 1UL << place);

    private string[] Names(ulong set) => [.. _names.Where((_, place) => (set >> place & 1) != 0)];

    private IEnumerable<ulong> Chosen(int from, int most)
    {
        yield return 0;
        for (int i = from; i < _names.Count && most > 0; i++)
            foreach (ulong rest in Chosen(i + 1, most - 1))
                yield return rest | 1UL << i;
    }
}
