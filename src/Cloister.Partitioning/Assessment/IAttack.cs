using System.Collections.Immutable;
using Cloister.Onnx.Graphs;
using Cloister.Partitioning.Pictures;
using Cloister.Partitioning.Reports;

namespace Cloister.Partitioning.Assessment;

/// <summary>One attack of an assessment: the same target and settings give the same finding, whatever the number of threads.</summary>
internal interface IAttack
{
    /// <summary>The finding's name.</summary>
    string Name { get; }

    /// <summary>Everything beside the target that decides the finding: the attack's version, its settings, digests of other models.</summary>
    string Settings { get; }

    /// <summary>Runs it; gives <see cref="AttackTarget.Findings"/> findings.</summary>
    /// <exception cref="PartitioningException">It cannot be run on this target; the text says why.</exception>
    ImmutableArray<Finding> Run(AttackTarget target, int threads, IProgress<double> progress, CancellationToken cancellation);
}

/// <summary>What is attacked.</summary>
/// <param name="Model">The whole model.</param>
/// <param name="Graph">Its graph.</param>
/// <param name="Cut">What crosses; null for the calibration and for an attack on the answer.</param>
/// <param name="Tails">Where the part outside may end before the answer; none for attacks that do not ask.</param>
/// <param name="Pictures">What is learned from, and what is attacked.</param>
/// <param name="Seed">What chance is drawn from.</param>
internal sealed record AttackTarget(AssessedModel Model, ModelGraph Graph, Cut? Cut, ImmutableArray<Cut> Tails, PictureSet Pictures, int Seed)
{
    /// <summary>One; and one more for each tail.</summary>
    public int Findings => 1 + Tails.Length;
}
