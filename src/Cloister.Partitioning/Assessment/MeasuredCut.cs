using System.Collections.Immutable;
using Cloister.Onnx.Graphs;
using Cloister.Partitioning.Reports;

namespace Cloister.Partitioning.Assessment;

/// <summary>A cut and what every attack came to there.</summary>
/// <param name="Cut">The cut.</param>
/// <param name="Findings">A finding an attack.</param>
internal sealed record MeasuredCut(Cut Cut, ImmutableArray<Finding> Findings)
{
    /// <summary>Puts findings to their cuts: as many for each, in the order of the cuts.</summary>
    public static ImmutableArray<MeasuredCut> Of(ImmutableArray<Cut> cuts, ReadOnlySpan<Finding> findings)
    {
        int each = findings.Length / Math.Max(1, cuts.Length);
        var measured = ImmutableArray.CreateBuilder<MeasuredCut>(cuts.Length);
        for (int place = 0; place < cuts.Length; place++) measured.Add(new MeasuredCut(cuts[place], [.. findings.Slice(place * each, each)]));
        return measured.MoveToImmutable();
    }
}
