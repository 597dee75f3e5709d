using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Labels;

namespace Cloister.Partitioning.Weights;

/// <summary>Runs models over pictures and keeps what they answer.</summary>
internal sealed class AnswerRuns(WeightSettings settings, PictureSize size, Steps steps, CancellationToken cancellation)
{
    /// <summary>A model's answers, its first output as it is.</summary>
    public float[][] Raw(ModelProto model, IReadOnlyList<AssessedPicture> pictures)
    {
        using TapSession session = TapSession.Open(model, [model.Graph.Outputs[0].Name], size);
        float[][] answers = new float[pictures.Count][];
        ParallelWork.For(pictures.Count, settings.Threads, i =>
        {
            answers[i] = Take(session.Run(pictures[i].Input));
            steps.Done(1);
        }, cancellation);
        return answers;
    }

    /// <summary>The answers of a public model; null where it takes other pictures, or answers another number of classes.</summary>
    public int[]? Comparable(ModelProto model, IReadOnlyList<AssessedPicture> pictures, int classes)
    {
        try
        {
            float[][] answers = Raw(model, pictures);
            return answers[0].Length == classes ? First(answers) : null;
        }
        catch (PartitioningException other) when (other.Error == PartitioningError.ModelRefused)
        {
            return null;
        }
    }

    /// <summary>The place of the greatest number of each answer, the first of equals.</summary>
    public static int[] First(float[][] answers) => [.. answers.Select(answer => Array.IndexOf(answer, answer.Max()))];

    /// <summary>Takes the first of a run's tensors and disposes all of them.</summary>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.FeaturesRefused"/>: it holds what is not finite.</exception>
    public static float[] Take(OrtTensor[] outputs)
    {
        try
        {
            float[] answer = outputs[0].Span<float>().ToArray();
            return answer.Length > 0 && Array.TrueForAll(answer, float.IsFinite)
                ? answer
                : throw new PartitioningException(PartitioningError.FeaturesRefused, "An answer is empty, not a number, or infinite; nothing can be compared.");
        }
        finally
        {
            foreach (OrtTensor tensor in outputs)
                tensor.Dispose();
        }
    }
}
