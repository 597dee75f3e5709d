namespace Cloister.Client;

/// <summary>What a model in parts answers: the names of its best classes, all of one length, or all scores; the size of a list of the caller's choice would tell which.</summary>
internal static class PartitionedAnswer
{
    /// <summary>The platform that such a model describes.</summary>
    public const string Platform = "cloister_partitioned";

    private const int NoIndex = -1;

    /// <summary>The best classes of one item, best first.</summary>
    /// <exception cref="ClientException"><see cref="ClientError.AnswerMalformed"/>: the answer has neither.</exception>
    public static IReadOnlyList<PredictedLabel> Read(InferAnswer answer, int count)
    {
        if (answer.Outputs is [{ Name: "labels", Datatype: "BYTES" } labels, { Name: "scores", Datatype: "FP32" } values] && labels.Texts.Count == values.Numbers.Length)
            return [.. labels.Texts.Take(count).Select((label, place) => new PredictedLabel(Finite(values.Numbers.Span[place]), NoIndex, RestAnswer.Printable(label.TrimEnd(' '))))];
        if (answer.Outputs is [{ Datatype: "FP32" or "FP64" } scores, ..])
        {
            double[] all = scores.Numbers.ToArray();
            return [.. Enumerable.Range(0, all.Length).OrderByDescending(index => all[index]).Take(count).Select(index => new PredictedLabel(Finite(all[index]), index, ""))];
        }
        throw new ClientException(ClientError.AnswerMalformed, "The answer of a model in parts has neither labels with their scores nor scores.");
    }

    private static double Finite(double score) => double.IsFinite(score) ? score : throw new ClientException(ClientError.AnswerMalformed, "A score is no number.");
}
