namespace Cloister.Homomorphic.Models;

/// <summary>Chooses what one of a score's integers stands for: a power of two, so that it tells no more of a model than the size of its scores.</summary>
internal static class LeafScales
{
    /// <summary>Balanced numbers modulo t go from -32768 to 32768.</summary>
    internal const int Limit = (int)(ForestParameters.PlaintextModulus / 2);

    /// <summary>The scale of a score. With it no sum of one leaf of every tree and the base score leaves the balanced numbers modulo t.</summary>
    /// <exception cref="HomomorphicException">The scores are too large or too small for doubles.</exception>
    internal static double Choose(Forest model, int score)
    {
        double low = Sum(model, score, 0, least: true), high = Sum(model, score, 0, least: false), size = Math.Max(Math.Abs(low), Math.Abs(high));
        if (size == 0) return 1;
        int exponent = (int)Math.Ceiling(Math.Log2(size / Limit));
        if (!double.IsFinite(size) || exponent is < -500 or > 500) throw new HomomorphicException(HomomorphicError.ForestScores, $"Score {score} reaches {size}: such numbers cannot be scaled. Rescale what the model predicts.");
        // Rounded leaves may sum to a little more than rounded sums; so may a logarithm be off.
        for (; ; exponent++)
        {
            double scale = Math.ScaleB(1, exponent);
            if (Sum(model, score, scale, least: true) >= -Limit && Sum(model, score, scale, least: false) <= Limit) return scale;
        }
    }

    /// <summary>A number in units of a scale, rounded.</summary>
    internal static double Round(double value, double scale) => Math.Round(value / scale);

    // Scale 0 means the numbers themselves.
    private static double Sum(Forest model, int score, double scale, bool least)
    {
        double Unit(double value) => scale is 0 ? value : Round(value, scale);
        double sum = Unit(model.BaseScores[score]);
        foreach (DecisionTree tree in model.Trees)
        {
            IEnumerable<double> values = tree.Nodes.Where(node => node.IsLeaf).Select(node => Unit(node.Values![score]));
            sum += least ? values.Min() : values.Max();
        }
        return sum;
    }
}
