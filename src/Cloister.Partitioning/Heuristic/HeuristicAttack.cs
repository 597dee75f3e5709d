using System.Collections.Immutable;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Pictures;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Heuristic;

/// <summary>
/// The paper's assessment (arXiv 1807.00969): each feature map that crosses a cut is drawn as a picture, a second classifier looks at it,
/// and delta = min over maps of KL(answer to the picture || answer to the map) / KL(answer to the picture || uniform). With it, always, a
/// permutation null: the same with the maps of every other picture.
/// </summary>
public static class HeuristicAttack
{
    // Answers of 32-bit floats that are nearer to a uniform guess than this tell nothing that delta could be measured against.
    private const double Uniform = 1e-9;

    /// <summary>Scores one cut. The same settings and pictures give the same score on any number of threads.</summary>
    /// <param name="settings">How much to look at.</param>
    /// <param name="oracle">The second classifier; it should be another network than the model.</param>
    /// <param name="pictures">The pictures; two or more.</param>
    /// <param name="size">The pictures' size.</param>
    /// <param name="model">The model.</param>
    /// <param name="cut">The cut.</param>
    /// <param name="progress">Hears the share that is done, 0 to 1.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="PartitioningException">
    /// <see cref="PartitioningError.PicturesRefused"/>: fewer than two pictures tell the second classifier anything;
    /// <see cref="PartitioningError.CutRefused"/>, <see cref="PartitioningError.FeaturesRefused"/>, <see cref="PartitioningError.ClassifierRefused"/>, <see cref="PartitioningError.ModelRefused"/>.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static HeuristicScore Run(
        HeuristicSettings settings, Oracle oracle, IReadOnlyList<AssessedPicture> pictures, PictureSize size, ModelProto model, Cut cut,
        IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(settings.MaximumPictures, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(settings.MaximumMaps, 1);
        AssessedPicture[] chosen = [.. new SplitMix64(settings.Seed).Choose(settings.MaximumPictures, pictures.Count).Select(i => pictures[i])];
        double[][] answers = new double[chosen.Length][];
        ParallelWork.For(chosen.Length, settings.Threads, i => answers[i] = oracle.Answer(chosen[i], size), cancellation);

        double[] guesses = [.. answers.Select(answer => Divergence.FromUniform(answer))];
        int[] told = [.. Enumerable.Range(0, chosen.Length).Where(i => guesses[i] > Uniform)];
        if (told.Length < 2)
            throw new PartitioningException(PartitioningError.PicturesRefused, $"The second classifier tells something of {told.Length} of {chosen.Length} pictures; two are the least.");
        using TapSession tap = TapSession.Open(model, cut.Tensors, size);
        Layer[] layers = new Layer[told.Length];
        int done = 0;
        ParallelWork.For(told.Length, settings.Threads, i =>
        {
            layers[i] = Look(settings, oracle, tap, chosen[told[i]], cancellation);
            progress?.Report(0.95 * Interlocked.Increment(ref done) / told.Length);
        }, cancellation);

        double[,] deltas = new double[told.Length, told.Length];
        ParallelWork.For(told.Length, settings.Threads, i =>
        {
            for (int j = 0; j < told.Length; j++)
                deltas[i, j] = layers[j].Answers.Min(answer => Divergence.Between(answers[told[i]], answer)) / guesses[told[i]];
        }, cancellation);
        progress?.Report(1);
        return Score(settings, oracle, cut, [.. told.Select(i => chosen[i].Name)], deltas, layers) with { LeftOut = chosen.Length - told.Length };
    }

    /// <summary>Judges delta of every picture (rows) with every picture's maps (columns).</summary>
    internal static HeuristicScore Score(HeuristicSettings settings, Oracle oracle, Cut cut, string[] names, double[,] deltas, Layer[] layers)
    {
        int count = names.Length, lowest = Math.Max(1, count / 20);
        var lots = new SplitMix64(settings.Seed);
        var judged = ImmutableArray.CreateBuilder<HeuristicPicture>(count);
        var nulls = new List<double>(count * (count - 1));
        for (int i = 0; i < count; i++)
        {
            double own = deltas[i, i];
            double[] others = [.. Enumerable.Range(0, count).Where(j => j != i).Select(j => deltas[i, j])];
            // Equal values (layers of constant maps) are ordered by lot, so that they count as the chance they are.
            int rank = 1 + others.Count(other => other < own) + lots.Below(1 + others.Count(other => other == own));
            judged.Add(new HeuristicPicture(names[i], own, DeltaQuantiles.Of(others).Median, rank));
            nulls.AddRange(others);
        }
        return new HeuristicScore
        {
            Tensors = cut.Tensors,
            OracleForm = oracle.Form,
            OracleClasses = oracle.Classes,
            Maps = layers[0].Total,
            MapsUsed = layers[0].Answers.Length,
            ConstantMaps = layers.Average(layer => (double)layer.Constant / layer.Answers.Length),
            LeftOut = 0,
            Pictures = judged.ToImmutable(),
            Delta = DeltaQuantiles.Of(judged.Select(picture => picture.Delta)),
            Null = DeltaQuantiles.Of(nulls),
            Safe = Share(picture => picture.Delta >= 1),
            NullSafe = nulls.Count(delta => delta >= 1) / (double)nulls.Count,
            OwnFirst = Share(picture => picture.Rank == 1),
            OwnFirstChance = 1.0 / count,
            OwnInLowest = Share(picture => picture.Rank <= lowest),
            OwnInLowestChance = (double)lowest / count,
        };

        Interval Share(Func<HeuristicPicture, bool> counts) => Proportion.Wilson(judged.Count(counts), count, settings.Confidence);
    }

    private static Layer Look(HeuristicSettings settings, Oracle oracle, TapSession tap, AssessedPicture picture, CancellationToken cancellation) => tap.Look(picture.Input, seen =>
    {
        FeatureMaps maps = FeatureMaps.Choose(seen, settings.MaximumMaps, settings.Seed);
        var answers = new double[maps.Count][];
        int constant = 0;
        for (int map = 0; map < maps.Count; map++)
        {
            cancellation.ThrowIfCancellationRequested();
            ReadOnlySpan<float> values = maps.Values(seen, map);
            foreach (float value in values)
            {
                if (!float.IsFinite(value))
                    throw new PartitioningException(PartitioningError.FeaturesRefused, $"A feature map of picture '{picture.Name}' holds {value}; only finite values can be drawn.");
            }
            Picture drawn = PixelSpace.Project(values, maps.Rows(map), maps.Columns(map), oracle.Size.Height, oracle.Size.Width, out bool flat);
            answers[map] = oracle.Answer(drawn);
            constant += flat ? 1 : 0;
        }
        return new Layer(answers, constant, maps.Total);
    });

    /// <summary>The second classifier's answers to one picture's maps.</summary>
    internal sealed record Layer(double[][] Answers, int Constant, int Total);
}
