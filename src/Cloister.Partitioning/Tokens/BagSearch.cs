using Cloister.Partitioning.Algebra;

namespace Cloister.Partitioning.Tokens;

/// <summary>Finds the tokens whose rows sum to a vector: orthogonal matching pursuit (Y. C. Pati et al., Asilomar 1993).</summary>
internal static class BagSearch
{
    /// <summary>Tokens whose rows, in some combination, make up the vector; the surest first.</summary>
    /// <param name="table">The rows.</param>
    /// <param name="sum">Their sum; its length does not matter.</param>
    /// <param name="most">Tokens to find at most. There are never more than the rows have numbers: beyond that anything fits.</param>
    public static int[] Find(TokenTable table, ReadOnlySpan<float> sum, int most)
    {
        float[] lengths = new float[table.Tokens];
        for (int token = 0; token < table.Tokens; token++)
            lengths[token] = MathF.Sqrt(Dot(table[token], table[token]));
        float[] target = sum.ToArray(), rest = sum.ToArray();
        float whole = MathF.Sqrt(Dot(target, target));
        var found = new List<int>();
        while (found.Count < Math.Min(most, table.Width) && MathF.Sqrt(Dot(rest, rest)) > 1e-4f * whole)
        {
            int best = -1;
            float highest = 0;
            for (int token = 0; token < table.Tokens; token++)
                if (lengths[token] > 0 && Dot(table[token], rest) / lengths[token] is var score && score > highest && !found.Contains(token))
                    (best, highest) = (token, score);
            if (best < 0)
                break;
            found.Add(best);
            if (!Fit(table, target, found, rest))
                break;
        }
        return [.. found];
    }

    // What is left of the target when the found rows are taken away as well as they can be.
    private static bool Fit(TokenTable table, float[] target, List<int> found, float[] rest)
    {
        int count = found.Count;
        double[] gram = new double[count * count], right = new double[count];
        for (int i = 0; i < count; i++)
        {
            right[i] = Dot(table[found[i]], target);
            for (int j = 0; j <= i; j++)
                gram[i * count + j] = Dot(table[found[i]], table[found[j]]) * (i == j ? 1 + 1e-6 : 1);
        }
        if (CholeskyFactor.TryFactor(gram, count, 1) is not { } factor)
            return false;
        factor.Solve(right, 1);
        target.CopyTo(rest, 0);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<float> row = table[found[i]];
            for (int k = 0; k < row.Length; k++)
                rest[k] -= (float)right[i] * row[k];
        }
        return true;
    }

    private static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        System.Numerics.Vector<float> sums = default;
        int i = 0, lanes = System.Numerics.Vector<float>.Count;
        for (; i <= a.Length - lanes; i += lanes)
            sums += new System.Numerics.Vector<float>(a[i..]) * new System.Numerics.Vector<float>(b[i..]);
        float sum = System.Numerics.Vector.Sum(sums);
        for (; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }
}
