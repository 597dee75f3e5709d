using Cloister.Onnx.Model;
using Cloister.Partitioning.Features;
using Cloister.Partitioning.Labels;

namespace Cloister.Partitioning.Membership;

/// <summary>Rows of numbers, one a picture.</summary>
/// <param name="Rows">Row-major [pictures, count].</param>
/// <param name="Count">Numbers of a row.</param>
internal sealed record MemberView(float[] Rows, int Count)
{
    /// <summary>The same with one more number at the end of each row.</summary>
    public MemberView With(double[] last)
    {
        float[] rows = new float[last.Length * (Count + 1)];
        for (int i = 0; i < last.Length; i++)
        {
            Rows.AsSpan(i * Count, Count).CopyTo(rows.AsSpan(i * (Count + 1)));
            rows[i * (Count + 1) + Count] = (float)last[i];
        }
        return new MemberView(rows, Count + 1);
    }
}

/// <summary>What different attackers see of the same pictures.</summary>
/// <param name="Answers">Who sees answers.</param>
/// <param name="Outside">Who sees tensors outside.</param>
/// <param name="Pictures">Who sees the pictures alone.</param>
/// <param name="Confidence">The probability of each picture's first class.</param>
internal sealed record MemberViews(MemberView Answers, MemberView Outside, MemberView Pictures, double[] Confidence)
{
    /// <summary>Runs the model once a picture.</summary>
    public static MemberViews Of(MembershipSettings settings, AssessedPicture[] pictures, PictureSize size, ModelProto model, string[] tensors, Steps steps, CancellationToken cancellation)
    {
        using TapSession tap = TapSession.Open(model, [model.Graph.Outputs[0].Name, .. tensors], size);
        TensorTraits traits = tap.Look(pictures[0].Input, outputs => TensorTraits.Of(outputs.AsSpan(1), settings));
        int ownPixels = PictureTraits.Count(size);
        float[][] raw = new float[pictures.Length][];
        float[] seen = new float[pictures.Length * traits.Count], pixels = new float[pictures.Length * ownPixels];
        ParallelWork.For(pictures.Length, settings.Threads, i =>
        {
            tap.Look(pictures[i].Input, outputs =>
            {
                raw[i] = outputs[0].Span<float>().ToArray();
                traits.Write(outputs.AsSpan(1), seen.AsSpan(i * traits.Count, traits.Count));
            });
            PictureTraits.Write(pictures[i], size, pixels.AsSpan(i * ownPixels, ownPixels));
            steps.Done(1);
        }, cancellation);
        if (raw.Any(answer => answer.Length < 2 || answer.Length != raw[0].Length || !Array.TrueForAll(answer, float.IsFinite)) || !Array.TrueForAll(seen, float.IsFinite))
            throw new PartitioningException(PartitioningError.FeaturesRefused, "An answer has fewer than two values, or it or a tensor is not finite; no picture can be told from others by it.");
        var answers = Labels.Answers.Of(raw);
        int ownAnswers = AnswerTraits.Count(answers);
        float[] told = new float[pictures.Length * ownAnswers];
        for (int i = 0; i < pictures.Length; i++)
            AnswerTraits.Write(answers, i, told.AsSpan(i * ownAnswers, ownAnswers));
        return new MemberViews(new MemberView(told, ownAnswers), new MemberView(seen, traits.Count), new MemberView(pixels, ownPixels),
            [.. Enumerable.Range(0, pictures.Length).Select(i => AnswerTraits.Confidence(answers, i))]);
    }
}
