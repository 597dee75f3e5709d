using System.Collections.Immutable;

namespace Cloister.Partitioning.Assessment;

/// <summary>The attacks of an assessment.</summary>
/// <param name="Calibration">What shows that the verdict can be trusted.</param>
/// <param name="AtCuts">Run at every cut.</param>
/// <param name="AtTails">Run wherever the part outside may end; null where there is nothing to compare with.</param>
internal sealed record AttackList(IAttack Calibration, ImmutableArray<IAttack> AtCuts, IAttack? AtTails);
