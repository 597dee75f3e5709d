using System.Collections.Immutable;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;

namespace Cloister.Partitioning.Assessment;

/// <summary>Which cuts are looked at where there are more than a person wants to read of.</summary>
internal static class CutChoice
{
    /// <summary>Spreads <paramref name="count"/> cuts over the computation; of cuts with the same computation before them the one with the fewest bytes is taken.</summary>
    public static ImmutableArray<Cut> Spread(IReadOnlyList<Cut> cuts, int count)
    {
        Cut[] cheapest = [.. cuts.GroupBy(cut => cut.MacsBefore).OrderBy(group => group.Key).Select(group => group.Last(cut => cut.BoundaryBytes == group.Min(other => other.BoundaryBytes)))];
        if (cheapest.Length <= count) return [.. cheapest];
        var taken = new SortedSet<int> { 0 };
        for (int i = 1; i < count; i++)
        {
            double wanted = cheapest[0].MacShareBefore + (cheapest[^1].MacShareBefore - cheapest[0].MacShareBefore) * i / Math.Max(1, count - 1);
            taken.Add(Enumerable.Range(0, cheapest.Length).Where(place => !taken.Contains(place)).MinBy(place => Math.Abs(cheapest[place].MacShareBefore - wanted)));
        }
        return [.. taken.Select(place => cheapest[place])];
    }

    /// <summary>The last cuts, where a tail may begin, the latest first: one for each of the last steps of computation.</summary>
    public static ImmutableArray<Cut> Last(IReadOnlyList<Cut> cuts, int count) =>
        [.. cuts.GroupBy(cut => cut.MacsBefore).OrderByDescending(group => group.Key).Take(count).Select(group => group.Last(cut => cut.BoundaryBytes == group.Min(other => other.BoundaryBytes)))];

    /// <summary>The tails that a partition cut here can have: each is computed from what crosses, and is not it.</summary>
    public static ImmutableArray<Cut> Behind(ModelProto model, Cut cut, ImmutableArray<Cut> tails) =>
        [.. tails.Where(tail => !tail.Tensors.Intersect(cut.Tensors).Any() && IsComputedFrom(model, tail.Tensors, cut.Tensors))];

    /// <summary>Whether everything of <paramref name="later"/> is computed from <paramref name="earlier"/>, so that whoever sees that one sees this one.</summary>
    public static bool IsComputedFrom(ModelProto model, IEnumerable<string> later, IEnumerable<string> earlier)
    {
        var makers = new Dictionary<string, NodeProto>(StringComparer.Ordinal);
        foreach (NodeProto node in model.Graph.Nodes)
            foreach (string output in node.Outputs) makers[output] = node;
        var constant = model.Graph.Initializers.Select(weight => weight.Name).ToHashSet(StringComparer.Ordinal);
        var inputs = model.Graph.Inputs.Select(input => input.Name).Where(name => !constant.Contains(name)).ToHashSet(StringComparer.Ordinal);
        var seen = earlier.ToHashSet(StringComparer.Ordinal);
        var waiting = new Stack<string>(later);
        while (waiting.TryPop(out string? value))
        {
            if (!seen.Add(value)) continue;
            if (inputs.Contains(value)) return false;
            if (makers.TryGetValue(value, out NodeProto? maker))
                foreach (string input in maker.Inputs) waiting.Push(input);
        }
        return true;
    }
}
