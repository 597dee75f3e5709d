using System.Collections.Immutable;
using Cloister.Onnx.Model;
using Cloister.Partitioning.Reports;

namespace Cloister.Partitioning.Assessment;

/// <summary>What an assessment says of one partition: the scores that may stand in its signed report.</summary>
public static class MeasuredScores
{
    /// <summary>Takes the scores of a cut and a tail.</summary>
    /// <param name="assessment">The assessment.</param>
    /// <param name="model">The model that is cut.</param>
    /// <param name="digest">SHA-256 of its file, hexadecimal.</param>
    /// <param name="cut">The tensors that cross to the outside, in any order.</param>
    /// <param name="tail">The tensors where the tail begins; none, where the part outside gives the answer.</param>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.AssessmentRefused"/>: it is of something else, or invalid; the text says what was assessed.</exception>
    public static ImmutableSortedDictionary<string, double> Of(AssessmentReport assessment, ModelProto model, string digest, IReadOnlyCollection<string> cut, IReadOnlyCollection<string> tail)
    {
        if (!assessment.Valid) throw Refused("it is invalid: its calibration failed.");
        if (assessment.Model.Sha256 != digest) throw Refused($"it is of the model with SHA-256 {assessment.Model.Sha256}, and this one has {digest}.");
        AssessedCut assessed = assessment.Cuts.FirstOrDefault(candidate => Same(candidate.Tensors, cut))
            ?? throw Refused($"it does not speak of a cut after {string.Join(", ", cut)}. Assess it with --cut {string.Join(',', cut)}.");
        AssessedTail? end = assessment.Tails.FirstOrDefault(candidate => Same(candidate.Tensors, tail));
        if (end is null && !assessment.Tails.IsEmpty) throw Refused($"it does not speak of a tail from {string.Join(", ", tail)} on. Assess it with --tail {string.Join(',', tail)}.");
        ImmutableArray<Finding> With(AssessedCut one) => tail.Count == 0 ? one.Findings : WithTail(one, tail);
        IEnumerable<ImmutableArray<Finding>> outside = assessment.Cuts
            .Where(other => CutChoice.IsComputedFrom(model, other.Tensors, cut) && (tail.Count == 0 || CutChoice.IsComputedFrom(model, tail, other.Tensors)))
            .Select(With);
        ImmutableSortedDictionary<string, double> scores = Judgement.Protection(With(assessed), outside);
        return end is null ? scores : scores.SetItems(Labels(assessment, model, end, tail));
    }

    // What the outside computes on its way to where it ends it has as well: the worst counts. What was not measured at the end stays so.
    private static IEnumerable<KeyValuePair<string, double>> Labels(AssessmentReport assessment, ModelProto model, AssessedTail end, IReadOnlyCollection<string> tail)
    {
        AssessedTail[] passed = [.. assessment.Tails.Where(other => !other.Tensors.IsEmpty && (tail.Count == 0 || CutChoice.IsComputedFrom(model, tail, other.Tensors)))];
        return end.Labels.Protection.Select(score => KeyValuePair.Create(score.Key, passed.Select(other => other.Labels.Protection.GetValueOrDefault(score.Key, 1)).Append(score.Value).Min()));
    }

    // What depends on the tail is taken from the tail that was asked for, or was not measured.
    private static ImmutableArray<Finding> WithTail(AssessedCut cut, IReadOnlyCollection<string> tail) =>
    [
        .. cut.Findings.Where(finding => finding.Attack is not (WeightUnit.Attack or MembershipUnit.Attack)),
        .. cut.Tails.FirstOrDefault(candidate => Same(candidate.Tensors, tail))?.Findings ?? [],
    ];

    private static bool Same(IEnumerable<string> one, IEnumerable<string> other) => one.Order(StringComparer.Ordinal).SequenceEqual(other.Order(StringComparer.Ordinal));

    private static PartitioningException Refused(string why) => new(PartitioningError.AssessmentRefused, $"The assessment is refused: {why}");
}
