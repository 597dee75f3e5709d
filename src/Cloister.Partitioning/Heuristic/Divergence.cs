namespace Cloister.Partitioning.Heuristic;

/// <summary>The Kullback-Leibler divergence between answers of a classifier, in nats.</summary>
public static class Divergence
{
    /// <summary>
    /// The least probability that counts in the second place. Softmax in 32-bit floats answers exact zeros, which would make one class
    /// that was rounded away outweigh everything else.
    /// </summary>
    public const double Floor = 1e-12;

    /// <summary>KL(p || q): sum of p log(p / q), with q no less than <see cref="Floor"/>; no less than 0.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static double Between(ReadOnlySpan<double> p, ReadOnlySpan<double> q)
    {
        if (p.Length != q.Length)
            throw new ArgumentException($"Answers of {p.Length} and {q.Length} classes cannot be compared.", nameof(q));
        double sum = 0;
        for (int i = 0; i < p.Length; i++)
        {
            if (p[i] > 0)
                sum += p[i] * (Math.Log(p[i]) - Math.Log(Math.Max(q[i], Floor)));
        }
        return Math.Max(sum, 0);
    }

    /// <summary>KL(p || uniform): how much the answer tells beyond a guess; log of the number of classes, less the entropy.</summary>
    public static double FromUniform(ReadOnlySpan<double> p)
    {
        double sum = 0;
        foreach (double value in p)
        {
            if (value > 0)
                sum += value * Math.Log(value);
        }
        return Math.Max(sum + Math.Log(p.Length), 0);
    }
}
