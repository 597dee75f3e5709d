using System.Collections.Immutable;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Membership;

/// <summary>
/// How well pictures that a model was trained on are told from others. Every figure is an area under the curve: how often a member is taken
/// for one sooner than another picture is, by chance <see cref="AreaUnderCurve.Chance"/>; 2 A - 1 is the attacker's advantage. A lower bound: attacks that train
/// models of their own (shadow models), or look at gradients, tell more.
/// </summary>
public sealed record MembershipScore
{
    /// <summary>The tensors of the cut.</summary>
    public required ImmutableArray<string> Tensors { get; init; }

    /// <summary>The tensors from which the last layers run inside again; none where there is no tail.</summary>
    public required ImmutableArray<string> TailTensors { get; init; }

    /// <summary>Tensors outside that were looked at beside those that cross: where BackNet ends.</summary>
    public required ImmutableArray<string> Watched { get; init; }

    /// <summary>Members that the attacker knows as such.</summary>
    public required int KnownMembers { get; init; }

    /// <summary>Other pictures that it knows as such.</summary>
    public required int KnownOthers { get; init; }

    /// <summary>Members that were to be told from others.</summary>
    public required int Members { get; init; }

    /// <summary>The others.</summary>
    public required int Others { get; init; }

    /// <summary>Of whoever sees answers, by their confidence alone.</summary>
    public required Interval Confidence { get; init; }

    /// <summary>Of whoever sees answers, in any mode, and learned from the pictures it knows what sure answers are like.</summary>
    public required Interval Answers { get; init; }

    /// <summary>Of whoever also sees what crosses, and what BackNet makes of it.</summary>
    public required Interval Outside { get; init; }

    /// <summary><see cref="Outside"/> less <see cref="Answers"/>, of the same pictures: what partitioning adds.</summary>
    public required Interval Added { get; init; }

    /// <summary>Of whoever sees the pictures and no model: above chance, members and others differ by themselves, and no figure here is about the model.</summary>
    public required Interval Pictures { get; init; }

    /// <summary>Whether members and others differ by themselves.</summary>
    public bool Confounded => Pictures.Lower > AreaUnderCurve.Chance;

    /// <summary>Whether members are told from others, by answers or by what the part outside sees; null where they differ by themselves.</summary>
    public bool? Leaks => Confounded ? null : Confidence.Lower > AreaUnderCurve.Chance || Answers.Lower > AreaUnderCurve.Chance || Outside.Lower > AreaUnderCurve.Chance;

    /// <summary>Whether partitioning makes it worse, beyond chance; null where members and others differ by themselves.</summary>
    public bool? Adds => Confounded ? null : Added.Lower > 0;

    /// <summary>
    /// 1 less the advantage of the best of these attackers at its interval's upper bound, between 0 and 1. Whoever runs the part outside may also be a
    /// caller: what answers tell counts. Null where members and others differ by themselves: then nothing is known, which is not safety.
    /// </summary>
    public double? Protection => Confounded ? null : Math.Clamp(2 * (1 - Math.Max(Outside.Upper, Math.Max(Answers.Upper, Confidence.Upper))), 0, 1);
}
