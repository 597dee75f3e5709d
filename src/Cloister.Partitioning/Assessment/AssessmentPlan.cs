using System.Collections.Immutable;
using Cloister.Partitioning.Pictures;

namespace Cloister.Partitioning.Assessment;

/// <summary>What is to be assessed, and how.</summary>
public sealed record AssessmentPlan
{
    /// <summary>The model that is to be cut.</summary>
    public required AssessedModel Model { get; init; }

    /// <summary>What an attacker learns from, and what is attacked; of the model's size. For a model of texts: <see cref="PictureSet.OfTexts"/>.</summary>
    public required PictureSet Pictures { get; init; }

    /// <summary>Pictures that the model was trained on, of which none is among the others; null to leave out whether they can be told.</summary>
    public PictureSet? Members { get; init; }

    /// <summary>For a model of texts: token ids, every text of the model's length; null to have texts drawn.</summary>
    public IReadOnlyList<int[]>? Texts { get; init; }

    /// <summary>Where finished findings are kept, so that a run that was stopped goes on.</summary>
    public required string WorkFolder { get; init; }

    /// <summary>Cuts by the names of their tensors; empty to have them chosen.</summary>
    public ImmutableArray<ImmutableArray<string>> Cuts { get; init; } = [];

    /// <summary>How many cuts are chosen, spread over the computation, where none are named.</summary>
    public int CutCount { get; init; } = 12;

    /// <summary>Where the part outside may end, by the names of tensors; empty to have the last ones chosen.</summary>
    public ImmutableArray<ImmutableArray<string>> Tails { get; init; } = [];

    /// <summary>A second classifier, whose opinion the literature's heuristic asks; without one it is left out.</summary>
    public AssessedModel? Oracle { get; init; }

    /// <summary>Public models of the same task, by which the order of classes and the weights outside are guessed; without one these are left out.</summary>
    public ImmutableArray<PublicModelFile> PublicModels { get; init; } = [];

    /// <summary>Names of the model's classes in the order of its answer: what the label attack is not told, and what it is judged by.</summary>
    public ImmutableArray<string> Labels { get; init; } = [];

    /// <summary>Whether pictures are also sought by gradient descent, which takes minutes a cut.</summary>
    public bool WhiteBox { get; init; }

    /// <summary>How many threads compute; the findings are the same for any number.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>What chance is drawn from.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>The time that the report states.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Attacks in place of those that follow from the plan; for tests.</summary>
    internal AttackList? Attacks { get; init; }
}

/// <summary>A public model and the names of its classes in the order of its answer.</summary>
/// <param name="Model">The model.</param>
/// <param name="Labels">The names; empty where they are not known.</param>
public sealed record PublicModelFile(AssessedModel Model, ImmutableArray<string> Labels);

/// <summary>How far an assessment is.</summary>
/// <param name="Unit">The attack and the cut that this is about; empty for what was there from an earlier run.</param>
/// <param name="Share">How much of it is done, 0 to 1.</param>
/// <param name="Ended">Whether it is finished and kept.</param>
/// <param name="UnitsDone">Units that are finished.</param>
/// <param name="Units">All units.</param>
public sealed record AssessmentProgress(string Unit, double Share, bool Ended, int UnitsDone, int Units);
