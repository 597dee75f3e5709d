using System.Collections.Immutable;

namespace Cloister.Partitioning.Reports;

/// <summary>
/// Names of what can be measured of a cut. Each score is from 0 (the attack finds everything) to 1 (it finds nothing beyond chance), taken from
/// the bound of its interval that is worse for the owner. A score is a statement about the attacks that ran, never about those that did not.
/// </summary>
public static class ProtectionScores
{
    /// <summary>Pictures: 1 less re-identification above chance, of the worst attack that ran.</summary>
    public const string Pictures = "pictures";

    /// <summary>The order of the classes: 1 less the share that is recovered above chance.</summary>
    public const string Labels = "labels";

    /// <summary>Tokens of a text: 1 less the share that is recovered above chance.</summary>
    public const string Tokens = "tokens";

    /// <summary>The weights outside: 1 less what a public model tells of them.</summary>
    public const string Weights = "weights";

    /// <summary>Which pictures the model was trained on: 1 less the advantage of whoever sees answers and the part outside.</summary>
    public const string Membership = "membership";

    /// <summary>The heuristic of the literature (a second classifier's opinion of feature maps); never enough alone.</summary>
    public const string Heuristic = "heuristic";

    /// <summary>All names.</summary>
    public static ImmutableArray<string> All { get; } = [Heuristic, Labels, Membership, Pictures, Tokens, Weights];
}
