using Cloister.Partitioning.Labels;

namespace Cloister.Partitioning.Membership;

/// <summary>Answers as short rows that say how sure each is, and not of what.</summary>
internal static class AnswerTraits
{
    private const int MostClasses = 8;
    // Softmax in 32-bit floats rounds to 1 and to 0.
    private const double Least = 1e-10;

    /// <summary>Numbers of a row.</summary>
    public static int Count(Answers answers) => Math.Min(MostClasses, answers.Classes) + 2;

    /// <summary>How probable the first class is, and how improbable all others.</summary>
    public static double Confidence(Answers answers, int picture) => answers.Values[picture * answers.Classes + answers.First(picture)];

    /// <summary>Writes one picture's row: the odds of the first class, the entropy, the greatest probabilities, as logarithms.</summary>
    public static void Write(Answers answers, int picture, Span<float> row)
    {
        float[] sorted = answers.Values.AsSpan(picture * answers.Classes, answers.Classes).ToArray();
        Array.Sort(sorted, (one, other) => other.CompareTo(one));
        double rest = 0, entropy = 0;
        for (int i = sorted.Length - 1; i >= 0; i--)
        {
            rest += i > 0 ? sorted[i] : 0;
            entropy -= sorted[i] > 0 ? sorted[i] * Math.Log(sorted[i]) : 0;
        }
        row[0] = (float)(Math.Log(Math.Max(sorted[0], Least)) - Math.Log(Math.Max(rest, Least)));
        row[1] = (float)entropy;
        for (int i = 2; i < row.Length; i++)
            row[i] = (float)Math.Log(Math.Max(sorted[i - 2], Least));
    }
}
