using System.Collections.Immutable;
using Cloister.Onnx.Graphs;
using Cloister.Partitioning.Reports;

namespace Cloister.Partitioning.Assessment;

/// <summary>A cut and what every attack came to there.</summary>
/// <param name="Cut">The cut.</param>
/// <param name="Findings">A finding an attack.</param>
internal sealed record MeasuredCut(Cut Cut, ImmutableArray<Finding> Findings)
{
    /// <summary>With tails behind the cut: the findings of the attacks to which they make a difference.</summary>
    public ImmutableArray<FoundWithTail> Tails { get; init; } = [];

    /// <summary>Puts units' findings to their cuts: as many units for each, in the order of the cuts.</summary>
    /// <param name="cuts">The cuts.</param>
    /// <param name="tails">The tails that were tried behind a cut.</param>
    /// <param name="units">A unit's findings: one, and where the attack asks for tails, one more for each.</param>
    public static ImmutableArray<MeasuredCut> Of(ImmutableArray<Cut> cuts, Func<Cut, ImmutableArray<Cut>> tails, ReadOnlySpan<ImmutableArray<Finding>> units)
    {
        int each = units.Length / Math.Max(1, cuts.Length);
        var measured = ImmutableArray.CreateBuilder<MeasuredCut>(cuts.Length);
        for (int place = 0; place < cuts.Length; place++)
        {
            ImmutableArray<Finding>[] found = units.Slice(place * each, each).ToArray();
            measured.Add(new MeasuredCut(cuts[place], [.. found.Select(unit => unit[0])])
            {
                Tails = [.. tails(cuts[place]).Select((tail, at) => new FoundWithTail(tail.Tensors, [.. found.Where(unit => unit.Length > 1).Select(unit => unit[1 + at])]))],
            });
        }
        return measured.MoveToImmutable();
    }
}
