using Cloister.Partitioning.Heuristic;

namespace Cloister.Partitioning.Labels;

/// <summary>What one classifier answers to each of many pictures.</summary>
/// <param name="Values">Row-major [pictures, classes]: probabilities.</param>
/// <param name="Pictures">Rows.</param>
/// <param name="Classes">Columns.</param>
internal sealed record Answers(float[] Values, int Pictures, int Classes)
{
    /// <summary>Probabilities of answers in the form they seem to have.</summary>
    public static Answers Of(float[][] raw)
    {
        AnswerForm form = Oracle.FormOf(raw);
        return new Answers([.. raw.SelectMany(answer => Oracle.Probabilities(answer, form)).Select(value => (float)value)], raw.Length, raw[0].Length);
    }

    /// <summary>The class of the greatest value for a picture; the first of equals.</summary>
    public int First(int picture)
    {
        ReadOnlySpan<float> row = Values.AsSpan(picture * Classes, Classes);
        int first = 0;
        for (int i = 1; i < row.Length; i++)
        {
            if (row[i] > row[first])
                first = i;
        }
        return first;
    }

    /// <summary>The answers to the first pictures alone.</summary>
    public Answers Take(int pictures) => new(Values[..(pictures * Classes)], pictures, Classes);

    /// <summary>The same answers with their columns in another order: column i is the given one of these.</summary>
    public Answers Reordered(int[] order)
    {
        var values = new float[Values.Length];
        for (int picture = 0; picture < Pictures; picture++)
            for (int i = 0; i < Classes; i++)
                values[picture * Classes + i] = Values[picture * Classes + order[i]];
        return this with { Values = values };
    }
}
