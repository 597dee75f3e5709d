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

    /// <summary>The same of the surrogate whose FrontNet was fitted, by a linear map of channels, to what crosses for the queries; null where it was not.</summary>
    public required Interval? RefitFidelity { get; init; }

    /// <summary>The share of the variance of what crosses that the fitted FrontNet explains, on queries that were not fitted; null where none was.</summary>
    public required double? RefitExplains { get; init; }

    /// <summary>Why no FrontNet was fitted; null where one was.</summary>
    public required string? NotRefit { get; init; }

    /// <summary>
    /// Of the test pictures that just one of the better surrogate and the baseline answers as the model does, the share that the surrogate does;
    /// <see cref="BeyondByChance"/> where it is no better. Null where there is no surrogate, or both are right on the same pictures.
    /// </summary>
    public required Interval? Beyond { get; init; }

    /// <summary>Whether every tensor of weights inside has a counterpart that it could be compared with.</summary>
    public required bool AllInsideCompared { get; init; }

    /// <summary><see cref="Beyond"/> where the surrogate is no better than the baseline.</summary>
    public const double BeyondByChance = 0.5;

    /// <summary>The share of the weights that is outside.</summary>
    public double ShareOutside => Parameters == 0 ? 0 : (double)ParametersOutside / Parameters;

    /// <summary>Whether all weights inside are the public ones, so that the part inside keeps no secret; null where not all could be compared.</summary>
    public bool? InsideIsPublic => AllInsideCompared && Weights.Any(weight => !weight.Outside) ? Weights.Where(weight => !weight.Outside).All(weight => weight.Origin == WeightOrigin.Public) : null;

    /// <summary>What is reached without the weights outside: the public model, or always the same answer, whichever reaches more.</summary>
    public Interval Baseline => PublicFidelity is { } known && known.Estimate > ConstantFidelity.Estimate ? known : ConstantFidelity;

    /// <summary>The better surrogate; null where there is none.</summary>
    public Interval? BestFidelity => RefitFidelity is { } refit && !(SurrogateFidelity?.Estimate >= refit.Estimate) ? refit : SurrogateFidelity;

    /// <summary>Whether a surrogate reaches more than the baseline on the same pictures, beyond chance (Q. McNemar's comparison); null where there is no surrogate.</summary>
    public bool? Leaks => BestFidelity is null ? null : Beyond is { } beyond && beyond.Lower > BeyondByChance;

    /// <summary>
    /// 1 - (F - P) / (1 - P) = (1 - F) / (1 - P), between 0 and 1: of what the baseline P leaves open, the share that the better surrogate F
    /// leaves open too; F at its interval's upper bound, P at its lower. Null where there is no surrogate: then nothing is known, which is not safety.
    /// </summary>
    public double? Protection => BestFidelity is { } best ? Math.Clamp((1 - best.Upper) / (1 - Baseline.Lower), 0, 1) : null;
}
