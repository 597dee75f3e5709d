using System.Collections.Immutable;

namespace Cloister.Partitioning.Assessment;

/// <summary>The attacks of an assessment.</summary>
/// <param name="Calibration">What shows that the verdict can be trusted.</param>
/// <param name="AtCuts">Run at every cut.</param>
/// <param name="AtTails">Run wherever the part outside may end; null where there is nothing to compare with.</param>
internal sealed record AttackList(IAttack Calibration, ImmutableArray<IAttack> AtCuts, IAttack? AtTails)
{
    /// <summary>Run at every cut, once without a tail and once with each tail behind the cut: what they find depends on both.</summary>
    public ImmutableArray<IAttack> AtParts { get; init; } = [];
}
