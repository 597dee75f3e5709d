using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Labels;

/// <summary>How much of the hidden order of classes one way of matching found, from pictures without labels.</summary>
/// <param name="Classes">Classes whose name a public model knows too: those that can be found.</param>
/// <param name="Recovered">The share of these that was named right.</param>
/// <param name="Active">Those of these that are the model's first answer to one picture or more. The pictures say little of others.</param>
/// <param name="RecoveredActive">The share of active classes that was named right; null where there are none.</param>
/// <param name="Chance">The share that a drawn order names right: one over the public models' classes.</param>
public sealed record LabelMatch(int Classes, Interval Recovered, int Active, Interval? RecoveredActive, double Chance)
{
    /// <summary>Whether more was found than by chance, of all or of the active classes, by the lower bound.</summary>
    public bool Found => Recovered.Lower > Chance || RecoveredActive?.Lower > Chance;

    /// <summary>1 less what was found beyond chance, from the upper bounds: 0 to 1.</summary>
    public double Protection => 1 - Math.Clamp((Math.Max(Recovered.Upper, RecoveredActive?.Upper ?? 0) - Chance) / (1 - Chance), 0, 1);
}
