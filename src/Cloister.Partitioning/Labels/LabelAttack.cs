using System.Collections.Immutable;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Partitioning.Algebra;
using Cloister.Partitioning.Features;

namespace Cloister.Partitioning.Labels;

/// <summary>
/// What somebody who sees the part outside learns of the classes, though their order is kept inside: the order itself, from public models'
/// answers to the same pictures, and single answers, from a probe on what crosses to the inside last.
/// </summary>
public static class LabelAttack
{
    /// <summary>Runs both attacks. The same settings and pictures give the same score on any number of threads.</summary>
    /// <param name="settings">How.</param>
    /// <param name="publicModels">What the observer has; without any, only callers of the model teach the probes.</param>
    /// <param name="labels">Names of the model's classes, in its order; empty, where public models have the same classes in the same order, or there are none.</param>
    /// <param name="fit">Pictures that the observer knows.</param>
    /// <param name="test">Pictures of others, none of them among the known.</param>
    /// <param name="size">The pictures' size.</param>
    /// <param name="model">The model; its first output is the answer.</param>
    /// <param name="tails">Cuts behind which the last layers could run inside, from input to output.</param>
    /// <param name="progress">Hears the share that is done, 0 to 1.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="PartitioningException">
    /// <see cref="PartitioningError.TooFewSamples"/>: fewer than five known pictures, or none of others;
    /// <see cref="PartitioningError.PicturesRefused"/>: the model gives nearly all of them the same answer;
    /// <see cref="PartitioningError.LabelsRefused"/>: names do not fit answers, or no name is known to any public model;
    /// <see cref="PartitioningError.FeaturesRefused"/>, <see cref="PartitioningError.ClassifierRefused"/>, <see cref="PartitioningError.ModelRefused"/>.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static LabelScore Run(
        LabelSettings settings, IReadOnlyList<PublicModel> publicModels, IReadOnlyList<string> labels, IReadOnlyList<AssessedPicture> fit, IReadOnlyList<AssessedPicture> test,
        PictureSize size, ModelProto model, IReadOnlyList<Cut> tails, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        if (fit.Count < 5 || test.Count < 1)
            throw new PartitioningException(PartitioningError.TooFewSamples, $"Five known pictures and one other are the least; {fit.Count} and {test.Count} are given.");
        AssessedPicture[] pictures = [.. fit, .. test];
        var steps = new Steps(progress, pictures.Length * (1 + publicModels.Count) + (1 + tails.Count) * (1 + publicModels.Count) * fit.Count / 2.0);
        Observation seen = Observation.Of(settings, pictures, size, model, tails, steps, cancellation);
        ImmutableArray<string> names = ClassNames.Of(labels, seen.Answers.Classes, "The model");
        var known = new List<(string Name, Answers Answers, ImmutableArray<string> Names)>();
        foreach (PublicModel publicModel in publicModels)
        {
            ImmutableArray<string> its = ClassNames.Of(publicModel.Labels, publicModel.Classifier.Classes, $"Public model '{publicModel.Name}'");
            if (publicModel.Labels.IsEmpty && publicModel.Classifier.Classes != names.Length)
                throw new PartitioningException(PartitioningError.LabelsRefused, $"Public model '{publicModel.Name}' has {publicModel.Classifier.Classes} classes, the model {names.Length}; without names they cannot be the same.");
            var answers = new double[pictures.Length][];
            ParallelWork.For(pictures.Length, settings.Threads, i =>
            {
                answers[i] = publicModel.Classifier.Answer(pictures[i], size);
                steps.Done(1);
            }, cancellation);
            known.Add((publicModel.Name, new Answers([.. answers.SelectMany(answer => answer).Select(value => (float)value)], pictures.Length, its.Length), publicModel.Labels.IsEmpty ? names : its));
        }

        using var product = new MatrixProduct(settings.Threads);
        LabelMatching? matching = known.Count == 0 ? null : new LabelMatching(settings, names, [.. known.Select(one => (one.Answers, one.Names))]);
        string[] truth = [.. Enumerable.Range(0, pictures.Length).Select(i => names[seen.Answers.First(i)])];
        var probes = new ExposureProbes(settings, fit.Count, seen.Answers, names,
            [
                (LabelProbe.Itself, truth[..fit.Count]),
                .. known.Select(one => (one.Name, Enumerable.Range(0, fit.Count).Select(i => one.Names[one.Answers.First(i)]).ToArray())),
            ], matching, product);
        var score = new LabelScore
        {
            Pictures = pictures.Length,
            Classes = names.Length,
            ActiveClasses = truth.Distinct().Count(),
            PublicModels = [.. known.Select(one => one.Name)],
            ByCorrelation = matching?.ByCorrelation(seen.Answers, product, cancellation),
            ByFirstAnswer = matching?.ByFirstAnswer(seen.Answers),
            Output = Try([seen.Output], new Crossing(ColumnCorrelation.Roots(seen.Answers), names.Length, seen.Answers)),
            Tails = [.. tails.Select((tail, place) => Try(tail.Tensors, seen.Tails[place]))],
        };
        progress?.Report(1);
        return score;

        LabelExposure Try(ImmutableArray<string> tensors, Crossing crossing)
        {
            LabelExposure exposure = probes.Try(tensors, crossing, cancellation);
            steps.Done((1 + known.Count) * fit.Count / 2.0);
            return exposure;
        }
    }
}
