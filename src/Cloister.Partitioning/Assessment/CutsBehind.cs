using System.Collections.Immutable;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Partitioning.Reports;

namespace Cloister.Partitioning.Assessment;

/// <summary>
/// Where else to look before a cut is said not to leak. What crosses can be hidden from one attack - shuffled, scaled, folded - and the part
/// outside must undo that before it can compute with it; whoever runs it has what it computes. So something behind the cut is attacked too,
/// though nobody named it (decision 0179).
/// </summary>
internal static class CutsBehind
{
    /// <summary>Measured cuts behind one that is not shown to leak, at least, as far as the graph has any.</summary>
    public const int Least = 3;

    /// <summary>The cuts that are to be attacked as well; none, where enough is known.</summary>
    /// <param name="model">The model.</param>
    /// <param name="judged">What was attacked.</param>
    /// <param name="all">All cuts of the graph.</param>
    public static ImmutableArray<Cut> Of(ModelProto model, ImmutableArray<AssessedCut> judged, IReadOnlyList<Cut> all)
    {
        var more = new List<Cut>();
        foreach (AssessedCut cut in judged.Where(cut => cut.Verdict == CutVerdict.NotShownToLeak))
        {
            int known = judged.Count(other => other != cut && other.Verdict == CutVerdict.NotShownToLeak && CutChoice.IsComputedFrom(model, other.Tensors, cut.Tensors));
            if (known >= Least) continue;
            Cut[] behind = [.. all.Where(other => !judged.Any(one => Same(one.Tensors, other.Tensors)) && CutChoice.IsComputedFrom(model, other.Tensors, cut.Tensors))];
            more.AddRange(Spread(behind, Least - known));
        }
        return [.. more.DistinctBy(cut => string.Join('\n', cut.Tensors)).OrderBy(cut => cut.MacsBefore).ThenBy(cut => cut.NodesBefore)];
    }

    // The nearest first, the others spread over what follows: of each step of computation the widest tensor, which has lost least.
    private static IEnumerable<Cut> Spread(Cut[] behind, int count)
    {
        Cut[] widest = [.. behind.GroupBy(cut => cut.MacsBefore).OrderBy(group => group.Key).Select(group => group.Last(cut => cut.BoundaryBytes == group.Max(other => other.BoundaryBytes)))];
        return Enumerable.Range(0, count).Select(i => i * widest.Length / count).Distinct().Where(place => place < widest.Length).Select(place => widest[place]);
    }

    private static bool Same(IEnumerable<string> one, IEnumerable<string> other) => one.ToHashSet(StringComparer.Ordinal).SetEquals(other);
}
