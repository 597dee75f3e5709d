using System.Collections.Immutable;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Algebra;
using Cloister.Partitioning.Assessment;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Inversion;
using Cloister.Partitioning.Labels;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Membership;

/// <summary>
/// Tells pictures that a model was trained on from others: by its answers, as anybody can who may ask it in any mode, and by what the part
/// outside sees beside them. Both learn from pictures that they know as members or as others, the worst case for the owner.
/// </summary>
public static class MembershipAttack
{
    /// <summary>Attacks one cut. The same settings and pictures give the same score on any number of threads.</summary>
    /// <param name="settings">How.</param>
    /// <param name="members">Pictures that the model was trained on: the first half is known to the attacker, the rest is told apart.</param>
    /// <param name="others">Pictures that it was not trained on, in the same way; of the same kind as the members.</param>
    /// <param name="size">The pictures' size.</param>
    /// <param name="model">The whole model; its one input takes a picture, its first output is the answer.</param>
    /// <param name="cut">From where on the model runs outside.</param>
    /// <param name="tail">From where on it runs inside again; null where the answer is made outside.</param>
    /// <param name="progress">From 0 to 1.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="PartitioningException">
    /// <see cref="PartitioningError.TooFewSamples"/>; <see cref="PartitioningError.SamplesOverlap"/>: a picture is there twice;
    /// <see cref="PartitioningError.PicturesRefused"/>: a picture is not of the model's size; <see cref="PartitioningError.FeaturesRefused"/>: a tensor is not finite;
    /// <see cref="PartitioningError.ModelRefused"/>.
    /// </exception>
    /// <exception cref="OnnxRuntimeException">The model does not run.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static MembershipScore Run(
        MembershipSettings settings, IReadOnlyList<AssessedPicture> members, IReadOnlyList<AssessedPicture> others, PictureSize size, ModelProto model,
        Cut cut, Cut? tail = null, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        Demand(members, others, size);
        AssessedPicture[] pictures = [.. members, .. others];
        ImmutableArray<string> watched = Watched(model, cut, tail);
        MemberViews views = MemberViews.Of(settings, pictures, size, model, [.. cut.Tensors, .. watched], new Steps(progress, pictures.Length), cancellation);

        int knownMembers = members.Count / 2, knownOthers = others.Count / 2;
        int[] known = [.. Enumerable.Range(0, knownMembers), .. Enumerable.Range(members.Count, knownOthers)];
        // In turn, so that each fold has some of both.
        known = [.. known.OrderBy(place => place < members.Count ? (place + 0.5) / knownMembers : (place - members.Count + 0.5) / knownOthers)];
        int[] asked = [.. Enumerable.Range(knownMembers, members.Count - knownMembers), .. Enumerable.Range(members.Count + knownOthers, others.Count - knownOthers)];
        int sought = members.Count - knownMembers;
        using var product = new MatrixProduct(1);
        double[] Told(MemberView view, int[] of, int free = 0) => MemberProbe.Tell(view.Rows, view.Count, free, known, [.. known.Select(place => place < members.Count)], of, product, cancellation);
        Interval Area(double[] told) => AreaUnderCurve.Of(told.AsSpan(0, sought), told.AsSpan(sought), settings.Confidence);
        // What answers tell is one number to whoever sees more, and must not drown in the many others.
        double[] byAnswers = Told(views.Answers, [.. Enumerable.Range(0, pictures.Length)]);
        double[] answers = [.. asked.Select(place => byAnswers[place])], outside = Told(views.Outside.With(byAnswers), asked, free: 1);
        progress?.Report(1);
        return new MembershipScore
        {
            Tensors = cut.Tensors,
            TailTensors = tail?.Tensors ?? [],
            Watched = watched,
            KnownMembers = knownMembers,
            KnownOthers = knownOthers,
            Members = sought,
            Others = asked.Length - sought,
            Confidence = Area([.. asked.Select(place => views.Confidence[place])]),
            Answers = Area(answers),
            Outside = Area(outside),
            Added = AreaUnderCurve.Difference(answers.AsSpan(0, sought), answers.AsSpan(sought), outside.AsSpan(0, sought), outside.AsSpan(sought), settings.Confidence),
            Pictures = Area(Told(views.Pictures, asked)),
        };
    }

    // With a tail what comes back from outside; else what the answer is made of, where the part outside makes it.
    private static ImmutableArray<string> Watched(ModelProto model, Cut cut, Cut? tail)
    {
        if (tail is not null)
            return [.. tail.Tensors.Except(cut.Tensors)];
        string end = AnswerEnd.Of(model.Graph);
        return !cut.Tensors.Contains(end) && CutChoice.IsComputedFrom(model, [end], cut.Tensors) ? [end] : [];
    }

    private static void Demand(IReadOnlyList<AssessedPicture> members, IReadOnlyList<AssessedPicture> others, PictureSize size)
    {
        if (members.Count < MembershipSettings.MinimumPictures || others.Count < MembershipSettings.MinimumPictures)
            throw new PartitioningException(PartitioningError.TooFewSamples,
                $"At least {MembershipSettings.MinimumPictures} pictures that the model was trained on and as many others are needed; there are {members.Count} and {others.Count}.");
        if (members.Concat(others).FirstOrDefault(picture => picture.Input.Length != size.Elements || picture.Pixels.Length != size.Elements) is { } odd)
            throw new PartitioningException(PartitioningError.PicturesRefused, $"'{odd.Name}' has {odd.Input.Length} inputs and {odd.Pixels.Length} pixels; a picture of {size} has {size.Elements}.");
        if (PictureDemands.Twins(members.Concat(others)) is (var twin, var picture))
            throw new PartitioningException(PartitioningError.SamplesOverlap, $"'{picture.Name}' is the same picture as '{twin.Name}': a picture is either one that the model was trained on or not, and is told once.");
    }
}
