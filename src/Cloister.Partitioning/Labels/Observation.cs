using System.Collections.Immutable;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Partitioning.Features;

namespace Cloister.Partitioning.Labels;

/// <summary>What crosses to the inside last, for each picture: the model's output, and what would cross at each tail cut.</summary>
/// <param name="Output">The name of the model's output.</param>
/// <param name="Answers">The model's answers.</param>
/// <param name="Tails">What would cross at each tail cut.</param>
internal sealed record Observation(string Output, Answers Answers, ImmutableArray<Crossing> Tails)
{
    /// <summary>Runs the model once a picture.</summary>
    public static Observation Of(
        LabelSettings settings, AssessedPicture[] pictures, PictureSize size, ModelProto model, IReadOnlyList<Cut> tails, Steps steps, CancellationToken cancellation)
    {
        string output = model.Graph.Outputs is [var first, ..]
            ? first.Name
            : throw new PartitioningException(PartitioningError.ModelRefused, "The model has no output.");
        using TapSession tap = TapSession.Open(model, [output, .. tails.SelectMany(tail => tail.Tensors)], size);
        (PooledFeatures Pool, PooledFeatures? Columns)[] plans = Plan(settings, tap, pictures[0], tails);
        float[][] raw = new float[pictures.Length][];
        float[][] features = [.. plans.Select(plan => new float[checked(plan.Pool.Count * pictures.Length)])];
        float[][][] columns = [.. plans.Select(plan => plan.Columns is null ? [] : new float[pictures.Length][])];
        ParallelWork.For(pictures.Length, settings.Threads, i =>
        {
            tap.Look(pictures[i].Input, seen =>
            {
                raw[i] = seen[0].Span<float>().ToArray();
                foreach ((int place, Range range) in Ranges(tails))
                {
                    (PooledFeatures pool, PooledFeatures? column) = plans[place];
                    pool.Write(seen.AsSpan(range), features[place].AsSpan(i * pool.Count, pool.Count));
                    column?.Write(seen.AsSpan(range), columns[place][i] = new float[column.Count]);
                }
            });
            steps.Done(1);
        }, cancellation);
        if (raw[0].Length < 2 || raw.Any(answer => answer.Length != raw[0].Length))
            throw new PartitioningException(PartitioningError.ModelRefused, $"The model's output '{output}' must be one value a class, two classes or more, for every picture.");
        if (raw.Any(answer => answer.Any(value => !float.IsFinite(value))))
            throw new PartitioningException(PartitioningError.ModelRefused, $"The model's output '{output}' is not finite for every picture; there are no answers to find.");
        return new Observation(output, Answers.Of(raw),
            [.. plans.Select((plan, place) => new Crossing(features[place], plan.Pool.Count, columns[place] is [] ? null : Answers.Of(columns[place])))]);
    }

    private static (PooledFeatures Pool, PooledFeatures? Columns)[] Plan(LabelSettings settings, TapSession tap, AssessedPicture picture, IReadOnlyList<Cut> tails) => tap.Look(picture.Input, seen =>
    {
        int classes = checked((int)seen[0].ElementCount);
        return Ranges(tails).Select(tail => (PooledFeatures.Of(seen.AsSpan(tail.Range), settings.MaximumFeatures, settings.Seed), PooledFeatures.Columns(seen.AsSpan(tail.Range), classes))).ToArray();
    });

    // Where each tail's tensors stand behind the output.
    private static IEnumerable<(int Place, Range Range)> Ranges(IReadOnlyList<Cut> tails)
    {
        int start = 1;
        for (int place = 0; place < tails.Count; start += tails[place++].Tensors.Length)
            yield return (place, start..(start + tails[place].Tensors.Length));
    }
}

/// <summary>What would cross at one cut.</summary>
/// <param name="Features">Row-major [pictures, count].</param>
/// <param name="Count">Numbers a picture.</param>
/// <param name="Columns">The same as answers, where it has a column a class.</param>
internal sealed record Crossing(float[] Features, int Count, Answers? Columns);
