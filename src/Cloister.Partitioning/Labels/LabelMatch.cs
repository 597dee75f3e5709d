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
    // Two ways of matching, each judged by all classes and by the active ones.
    private const int Ways = 4;

    /// <summary>Whether more was found than chance explains, of all or of the active classes: by the exact tail, at one end of 95 % shared out among the ways that are tried (decision 0179).</summary>
    public bool Found => Exceeds(Recovered, Classes) || RecoveredActive is { } active && Exceeds(active, Active);

    /// <summary>1 less what was found beyond chance, from the upper bounds: 0 to 1.</summary>
    public double Protection => 1 - Math.Clamp((Math.Max(Recovered.Upper, RecoveredActive?.Upper ?? 0) - Chance) / (1 - Chance), 0, 1);

    private bool Exceeds(Interval recovered, int of) => Proportion.ExceedsChance((int)Math.Round(recovered.Estimate * of), of, Chance, 1 - 0.05 / Ways);
}
