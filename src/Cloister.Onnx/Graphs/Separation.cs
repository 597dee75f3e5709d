namespace Cloister.Onnx.Graphs;

/// <summary>
/// Asks whether a set of values separates the inputs from the outputs, in a stretch of nodes between two dominators or in the whole.
/// Used for one question after the other: marks bear the question's number.
/// </summary>
internal sealed class Separation(FlowGraph flow)
{
    private const int None = -1;

    private readonly int[] _set = new int[flow.Values.Length];
    private readonly int[] _seen = new int[flow.Values.Length];
    private readonly int[] _cause = new int[flow.Values.Length];
    private int _question;

    /// <summary>Goes from the sources along every way until it meets a value of the set; gives those it meets, and a sink that it arrives at beside them.</summary>
    public (List<int> Met, int? Arrived) Forward(Stretch stretch, IEnumerable<int> set)
    {
        var met = new List<int>();
        Ask(set);
        foreach (int source in stretch.Sources)
            See(source, None, met);
        for (int i = stretch.First; i < stretch.Last; i++)
        {
            if (FirstThatFlows(flow.NodeInputs[i]) is not { } from)
                continue;
            foreach (int value in flow.NodeOutputs[i])
                See(value, from, met);
        }
        return (met, FirstThatFlows(stretch.Sinks));
    }

    /// <summary>Goes from the sinks back along every way until it meets a value of the set; gives those it meets.</summary>
    public List<int> Backward(Stretch stretch, IEnumerable<int> set)
    {
        var met = new List<int>();
        Ask(set);
        foreach (int sink in stretch.Sinks)
            See(sink, None, met);
        for (int i = stretch.Last - 1; i >= stretch.First; i--)
        {
            if (FirstThatFlows(flow.NodeOutputs[i]) is null)
                continue;
            foreach (int value in flow.NodeInputs[i])
                See(value, None, met);
        }
        return met;
    }

    /// <summary>The way by which the last <see cref="Forward"/> came to a value, from an input on.</summary>
    public List<int> WayTo(int value)
    {
        var way = new List<int>();
        for (int at = value; at != None; at = _cause[at])
            way.Add(at);
        way.Reverse();
        return way;
    }

    /// <summary>
    /// What is left of a separating set without its redundant values: first those that are met from the sources, then of these the ones
    /// met from the sinks. Each that is left has a way from a source to a sink that touches no other, so that none can be spared.
    /// </summary>
    public int[] Reduce(Stretch stretch, IEnumerable<int> set)
    {
        List<int> left = Backward(stretch, Forward(stretch, set).Met);
        left.Sort();
        return [.. left];
    }

    private void Ask(IEnumerable<int> set)
    {
        _question++;
        foreach (int value in set)
            _set[value] = _question;
    }

    private void See(int value, int cause, List<int> met)
    {
        if (_seen[value] == _question)
            return;
        _seen[value] = _question;
        _cause[value] = cause;
        if (_set[value] == _question)
            met.Add(value);
    }

    private int? FirstThatFlows(int[] values)
    {
        foreach (int value in values)
        {
            if (_seen[value] == _question && _set[value] != _question)
                return value;
        }
        return null;
    }
}

/// <summary>Nodes of a flow from <paramref name="First"/> up to, without, <paramref name="Last"/>, and the values where ways enter and leave.</summary>
internal sealed record Stretch(int First, int Last, int[] Sources, int[] Sinks)
{
    public int Length => Last - First;

    public static Stretch Whole(FlowGraph flow) => new(0, flow.Nodes.Length, flow.Inputs, flow.Outputs);
}
