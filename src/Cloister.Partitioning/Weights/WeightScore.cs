using System.Collections.Immutable;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Weights;

/// <summary>
/// What somebody learns of a model whose BackNet runs outside, in clear, and who has a public model of the same shape (the literature on
/// TEE-shielded partition of networks, arXiv 2310.07152). A lower bound: an attacker with a GPU goes on to train its surrogate.
/// </summary>
public sealed record WeightScore
{
    /// <summary>What no figure changes, for every report that shows the score.</summary>
    public const string Notice =
        "The weights of the part outside are given away in clear to whoever runs it. Permuting or scaling them hides nothing that lasts. " +
        "What must stay secret of a model's weights belongs into a part inside that was trained as such, behind a public backbone.";

    /// <summary>The tensors of the cut.</summary>
    public required ImmutableArray<string> Tensors { get; init; }

    /// <summary>The tensors from which the last layers run inside again; none where there is no tail.</summary>
    public required ImmutableArray<string> TailTensors { get; init; }

    /// <summary>Weights of the model, in numbers.</summary>
    public required long Parameters { get; init; }

    /// <summary>Of these, weights that the part outside has.</summary>
    public required long ParametersOutside { get; init; }

    /// <summary>Why the model was not compared with a public one, or how far; null where all of it was.</summary>
    public required string? NotCompared { get; init; }

    /// <summary>Tensors of weights beside their public counterparts, in the model's order, as far as both models are alike.</summary>
    public required ImmutableArray<WeightComparison> Weights { get; init; }

    /// <summary>Pictures that fidelity was measured on.</summary>
    public required int TestPictures { get; init; }

    /// <summary>Pictures that the attacker had the model answer.</summary>
    public required int Queries { get; init; }

    /// <summary>How often the model gives its most frequent answer: what somebody reaches who always says the same.</summary>
    public required Interval ConstantFidelity { get; init; }

    /// <summary>How often the public model's first class is the model's; null where its classes are others, or there is none.</summary>
    public required Interval? PublicFidelity { get; init; }

    /// <summary>The same of the surrogate: the public FrontNet, the weights outside, and the public tail; null where they do not fit together.</summary>
    public required Interval? SurrogateFidelity { get; init; }

    /// <summary>
    /// The same of the public FrontNet and the weights outside with a tail of the attacker's own, taught by the model's answers to the queries; null where there is no
    /// tail, FrontNet has no counterpart, or there are too few queries.
    /// </summary>
    public required Interval? TaughtTailFidelity { get; init; }

    /// <summary>The same of the public model's layers with a tail taught in the same way, which any caller can do; null where it has no such layers.</summary>
    public required Interval? PublicTaughtTailFidelity { get; init; }

    /// <summary>The same of the surrogate whose FrontNet was fitted, by a linear map of channels, to what crosses for the queries; null where it was not.</summary>
    public required Interval? RefitFidelity { get; init; }

    /// <summary>The share of the variance of what crosses that the fitted FrontNet explains, on queries that were not fitted; null where none was.</summary>
    public required double? RefitExplains { get; init; }

    /// <summary>Why no FrontNet was fitted; null where one was.</summary>
    public required string? NotRefit { get; init; }

    /// <summary>
    /// Of the test pictures that just one of the best surrogate and the baseline answers as the model does, the share that the surrogate does;
    /// <see cref="BeyondByChance"/> where it is no better. Null where there is no surrogate, or both are right on the same pictures.
    /// </summary>
    public required Interval? Beyond { get; init; }

    /// <summary>
    /// Of the test pictures that the baseline does not answer as the model does, the share that the best surrogate does; 0 where the weights outside are worth nothing.
    /// Null where there is no surrogate, or the baseline leaves no picture open.
    /// </summary>
    public required Interval? Resolved { get; init; }

    /// <summary>Whether every tensor of weights inside has a counterpart that it could be compared with.</summary>
    public required bool AllInsideCompared { get; init; }

    /// <summary><see cref="Beyond"/> where the surrogate is no better than the baseline.</summary>
    public const double BeyondByChance = 0.5;

    /// <summary>The share of the weights that is outside.</summary>
    public double ShareOutside => Parameters == 0 ? 0 : (double)ParametersOutside / Parameters;

    /// <summary>Whether all weights inside are the public ones, so that the part inside keeps no secret; null where not all could be compared.</summary>
    public bool? InsideIsPublic => AllInsideCompared && Weights.Any(weight => !weight.Outside) ? Weights.Where(weight => !weight.Outside).All(weight => weight.Origin == WeightOrigin.Public) : null;

    /// <summary>What is reached without the weights outside: by the public model, with a tail taught by answers or as it is, or by always the same answer, whichever reaches more.</summary>
    public Interval Baseline => Greatest(ConstantFidelity, PublicFidelity, PublicTaughtTailFidelity)!.Value;

    /// <summary>The best surrogate; null where there is none.</summary>
    public Interval? BestFidelity => Greatest(SurrogateFidelity, RefitFidelity, TaughtTailFidelity);

    /// <summary>Whether a surrogate reaches more than the baseline on the same pictures, beyond chance (Q. McNemar's comparison); null where there is no surrogate.</summary>
    public bool? Leaks => BestFidelity is null ? null : Beyond is { } beyond && beyond.Lower > BeyondByChance;

    /// <summary>
    /// 1 less <see cref="Resolved"/> at its upper bound: of what is open without the weights outside, the share that stays open with them. 0 where nothing
    /// was open. Null where there is no surrogate: then nothing is known, which is not safety.
    /// </summary>
    public double? Protection => BestFidelity is null ? null : Resolved is { } resolved ? 1 - resolved.Upper : 0;

    private static Interval? Greatest(params ReadOnlySpan<Interval?> fidelities)
    {
        Interval? greatest = null;
        foreach (Interval? fidelity in fidelities)
            if (fidelity is { } one && !(greatest?.Estimate >= one.Estimate))
                greatest = one;
        return greatest;
    }
}
