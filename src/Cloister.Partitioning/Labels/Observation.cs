using System.Collections.Immutable;
using Cloister.Onnx.Graphs;
using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Features;

namespace Cloister.Partitioning.Labels;

/// <summary>What crosses to the inside last, for each picture: the model's output, and what would cross at each tail cut.</summary>
internal sealed record Observation(ImmutableArray<string> OutputName, Answers Answers, float[] Output, float[][] Tails, int[] Counts)
{
    /// <summary>Runs the model once a picture.</summary>
    public static Observation Of(
        LabelSettings settings, AssessedPicture[] pictures, PictureSize size, ModelProto model, IReadOnlyList<Cut> tails, Steps steps, CancellationToken cancellation)
    {
        string output = model.Graph.Outputs is [var first, ..]
            ? first.Name
            : throw new PartitioningException(PartitioningError.ModelRefused, "The model has no output.");
        using TapSession tap = TapSession.Open(model, [output, .. tails.SelectMany(tail => tail.Tensors)], size);
        PooledFeatures[] pools = Plan(settings, tap, pictures[0], tails);
        float[][] raw = new float[pictures.Length][];
        float[][] features = [.. pools.Select(pool => new float[checked(pool.Count * pictures.Length)])];
        ParallelWork.For(pictures.Length, settings.Threads, i =>
        {
            OrtTensor[] seen = tap.Run(pictures[i].Input);
            try
            {
                raw[i] = seen[0].Span<float>().ToArray();
                foreach ((int place, Range range) in Ranges(tails))
                    pools[place].Write(seen.AsSpan(range), features[place].AsSpan(i * pools[place].Count, pools[place].Count));
            }
            finally
            {
                foreach (OrtTensor tensor in seen)
                    tensor.Dispose();
            }
            steps.Done(1);
        }, cancellation);
        if (raw[0].Length < 2 || raw.Any(answer => answer.Length != raw[0].Length))
            throw new PartitioningException(PartitioningError.ModelRefused, $"The model's output '{output}' must be one value a class, two classes or more, for every picture.");
        var answers = Answers.Of(raw);
        return new Observation([output], answers, ColumnCorrelation.Logits(answers), features, [.. pools.Select(pool => pool.Count)]);
    }

    private static PooledFeatures[] Plan(LabelSettings settings, TapSession tap, AssessedPicture picture, IReadOnlyList<Cut> tails)
    {
        OrtTensor[] seen = tap.Run(picture.Input);
        try
        {
            return [.. Ranges(tails).Select(tail => PooledFeatures.Of(seen.AsSpan(tail.Range), settings.MaximumFeatures, settings.Seed))];
        }
        finally
        {
            foreach (OrtTensor tensor in seen)
                tensor.Dispose();
        }
    }

    // Where each tail's tensors stand behind the output.
    private static IEnumerable<(int Place, Range Range)> Ranges(IReadOnlyList<Cut> tails)
    {
        int start = 1;
        for (int place = 0; place < tails.Count; start += tails[place++].Tensors.Length)
            yield return (place, start..(start + tails[place].Tensors.Length));
    }
}
