using System.Collections.Immutable;
using System.Globalization;
using Cloister.Onnx.Model;
using Cloister.Partitioning.Algebra;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Labels;

namespace Cloister.Partitioning.Weights;

/// <summary>
/// Puts a tail of one's own in place of the one inside: a linear map from what the tail would get to the scores that the model gave for the
/// attacker's queries. A caller learns as much on a public model's layers, which is what it has to be compared with.
/// </summary>
internal sealed class TaughtTail(WeightSettings settings, PictureSize size, Steps steps, CancellationToken cancellation)
{
    /// <summary>Fewer queries teach nothing.</summary>
    public const int Fewest = 10;

    /// <summary>The first class of each test picture; null where there are too few queries.</summary>
    /// <param name="model">What runs up to the tail: a copy of the model, or a public one.</param>
    /// <param name="tensors">Where its tail begins.</param>
    /// <param name="queries">Pictures that the attacked model answered, as this one reads them.</param>
    /// <param name="taught">Its answers to them.</param>
    /// <param name="test">Pictures to answer, as this one reads them.</param>
    public int[]? Run(ModelProto model, ImmutableArray<string> tensors, IReadOnlyList<AssessedPicture> queries, float[][] taught, IReadOnlyList<AssessedPicture> test)
    {
        if (queries.Count < Fewest)
            return null;
        using TapSession session = TapSession.Open(model, tensors, size);
        AssessedPicture[] pictures = [.. queries, .. test];
        PooledFeatures pooled = session.Look(pictures[0].Input, seen => PooledFeatures.Of(seen, new LabelSettings().MaximumFeatures, settings.Seed));
        float[] rows = new float[checked(pictures.Length * pooled.Count)];
        ParallelWork.For(pictures.Length, settings.Threads, i =>
        {
            session.Look(pictures[i].Input, seen => pooled.Write(seen, rows.AsSpan(i * pooled.Count, pooled.Count)));
            steps.Done(1);
        }, cancellation);
        var answers = Answers.Of(taught);
        using var product = new MatrixProduct(1);
        (string[] names, _, _) = ProbeFit.ToScores(new LabelSettings { Seed = settings.Seed, Threads = settings.Threads }, rows, pooled.Count, answers,
            [.. Enumerable.Range(0, answers.Classes).Select(i => i.ToString(CultureInfo.InvariantCulture))], product, cancellation);
        return [.. names.Select(name => int.Parse(name, CultureInfo.InvariantCulture))];
    }
}
