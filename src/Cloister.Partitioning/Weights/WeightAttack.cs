using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Pictures;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Inversion;
using Cloister.Partitioning.Labels;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Weights;

/// <summary>
/// What somebody learns of a model's weights who has the part outside in clear, and a public model of the same shape: which weights are the
/// public ones, how well the public FrontNet and the weights outside stand in for the model, and how much better once FrontNet was
/// fitted to what crosses the cut.
/// </summary>
public static class WeightAttack
{
    /// <summary>Attacks one cut. The same settings and pictures give the same score on any number of threads.</summary>
    /// <param name="settings">How.</param>
    /// <param name="publicModel">A public model that the attacked one may have been made from; null where none is known: then only shares are told.</param>
    /// <param name="fit">Pictures that the attacker has; of these it has the model answer <see cref="WeightSettings.Queries"/>.</param>
    /// <param name="test">Other pictures, on which answers are compared.</param>
    /// <param name="size">The pictures' size.</param>
    /// <param name="model">The whole model; its one input takes a picture, its first output is the answer.</param>
    /// <param name="cut">From where on the model runs outside.</param>
    /// <param name="tail">From where on it runs inside again; null where the answer is made outside.</param>
    /// <param name="publicPreprocessing">How a picture becomes the public model's input; null where as the model's.</param>
    /// <param name="progress">From 0 to 1.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="PartitioningException">
    /// <see cref="PartitioningError.WeightsRefused"/>: weights lie in other files, or a picture is not of the model's size;
    /// <see cref="PartitioningError.TooFewSamples"/>: no test picture; <see cref="PartitioningError.SamplesOverlap"/>: a picture is there twice; <see cref="PartitioningError.ModelRefused"/>.
    /// </exception>
    /// <exception cref="GraphException">The model cannot be cut there.</exception>
    /// <exception cref="OnnxModelException">A tensor of a model is not what it says of itself.</exception>
    /// <exception cref="OnnxRuntimeException">A model does not run.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static WeightScore Run(
        WeightSettings settings, ModelProto? publicModel, IReadOnlyList<AssessedPicture> fit, IReadOnlyList<AssessedPicture> test, PictureSize size, ModelProto model,
        Cut cut, Cut? tail = null, Preprocessing? publicPreprocessing = null, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(settings.Queries, nameof(settings));
        if (test.Count == 0)
            throw new PartitioningException(PartitioningError.TooFewSamples, "There is no picture to compare answers on.");
        if (fit.Concat(test).FirstOrDefault(picture => picture.Input.Length != size.Elements) is { } odd)
            throw new PartitioningException(PartitioningError.WeightsRefused, $"'{odd.Name}' has {odd.Input.Length} inputs; a picture of {size} has {size.Elements}.");
        if (PictureDemands.Twins(fit.Concat(test)) is (var twin, var again))
            throw new PartitioningException(PartitioningError.SamplesOverlap, $"'{again.Name}' is the same picture as '{twin.Name}': a test on what was fitted, or on one picture twice, says nothing.");
        long[] shape = [1, size.Channels, size.Height, size.Width];
        SurrogateModel models = SurrogateModel.Of(model, publicModel, cut, tail, shape);
        ModelProto? surrogate = models.Surrogate();
        ModelProto? upToTail = tail is null ? null : models.Surrogate(tail: false);
        AssessedPicture[] queries = surrogate is null && upToTail is null ? [] : [.. fit.Take(settings.Queries)];
        (IReadOnlyList<AssessedPicture> knownQueries, IReadOnlyList<AssessedPicture> knownTest) = publicPreprocessing is null ? (queries, test) : (PublicInput.Of(queries, size, publicPreprocessing), PublicInput.Of(test, size, publicPreprocessing));
        var steps = new Steps(progress, test.Count * ((surrogate is null ? 1 : 4) + (upToTail is null ? 0 : 2)) + (upToTail is null ? 2 : 5) * queries.Length);

        var runs = new AnswerRuns(settings, size, steps, cancellation);
        float[][] answers = runs.Raw(models.Model, test);
        int[] truth = AnswerRuns.First(answers);
        int[]? known = publicModel is null ? null : runs.Comparable(PlainModel.Of(publicModel), knownTest, answers[0].Length);
        int[]? joined = surrogate is null ? null : AnswerRuns.First(runs.Raw(surrogate, knownTest));
        Refit refit = surrogate is null
            ? Refit.Not("There is no surrogate whose FrontNet could be fitted.")
            : new BoundaryRefit(settings, size, steps, cancellation).Run(models.Model, surrogate, cut, queries, knownQueries, knownTest);
        float[][] taught = upToTail is null ? [] : runs.Raw(models.Model, queries);
        var teaching = new TaughtTail(settings, size, steps, cancellation);
        int[]? ownTail = upToTail is null ? null : teaching.Run(upToTail, tail!.Tensors, knownQueries, taught, knownTest);
        int[]? publicOwnTail = upToTail is not null && models.Named(tail!.Tensors) is { } named ? teaching.Run(PlainModel.Of(publicModel!), named, knownQueries, taught, knownTest) : null;
        progress?.Report(1);
        int[] constant = [.. Enumerable.Repeat(truth.CountBy(first => first).MaxBy(pair => pair.Value).Key, truth.Length)];
        int Right(int[] first) => truth.Zip(first).Count(pair => pair.First == pair.Second);
        int[] Places(Func<int, bool> which) => [.. Enumerable.Range(0, truth.Length).Where(which)];
        int[]? best = new[] { joined, refit.First, ownTail }.OfType<int[]>().MaxBy(Right);
        int[] baseline = new[] { constant, known, publicOwnTail }.OfType<int[]>().MaxBy(Right)!;
        return new WeightScore
        {
            Tensors = cut.Tensors,
            TailTensors = tail?.Tensors ?? [],
            Parameters = models.Used.Sum(weight => weight.ElementCount()),
            ParametersOutside = models.Used.Where(models.IsOutside).Sum(weight => weight.ElementCount()),
            NotCompared = publicModel is null ? "No public model is given." : models.Mismatch is { } mismatch ? $"The public model is another: {mismatch}." : null,
            Weights = models.Compare(),
            TestPictures = test.Count,
            Queries = queries.Length,
            ConstantFidelity = Share(settings, Right(constant), truth.Length),
            PublicFidelity = Fidelity(settings, truth, known),
            SurrogateFidelity = Fidelity(settings, truth, joined),
            RefitFidelity = Fidelity(settings, truth, refit.First),
            RefitExplains = refit.Explains,
            NotRefit = refit.Reason,
            TaughtTailFidelity = Fidelity(settings, truth, ownTail),
            PublicTaughtTailFidelity = Fidelity(settings, truth, publicOwnTail),
            AllInsideCompared = models.AllInsideCompared,
            Beyond = best is null ? null : Among(settings, Places(i => best[i] == truth[i] != (baseline[i] == truth[i])), i => best[i] == truth[i]),
            Resolved = best is null ? null : Among(settings, Places(i => baseline[i] != truth[i]), i => best[i] == truth[i]),
        };
    }

    private static Interval? Among(WeightSettings settings, int[] places, Func<int, bool> which) => places.Length == 0 ? null : Share(settings, places.Count(which), places.Length);

    private static Interval Share(WeightSettings settings, int count, int of) => Proportion.Wilson(count, of, settings.Confidence);

    private static Interval? Fidelity(WeightSettings settings, int[] truth, int[]? first) =>
        first is null ? null : Share(settings, truth.Zip(first).Count(pair => pair.First == pair.Second), truth.Length);
}
