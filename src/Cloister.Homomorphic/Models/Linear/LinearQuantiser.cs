namespace Cloister.Homomorphic.Models;

/// <summary>Turns features into integers: round((x - Offset) / Step), held within Minimum and Maximum.</summary>
internal static class LinearQuantiser
{
    /// <summary>One feature.</summary>
    /// <param name="x">Finite.</param>
    /// <param name="feature">How.</param>
    /// <param name="clamped">Whether it was out of range.</param>
    internal static int Quantise(double x, FeatureSpecification feature, out bool clamped)
    {
        double integer = Math.Round((x - feature.Offset) / feature.Step), held = Math.Clamp(integer, feature.Minimum, feature.Maximum);
        clamped = held != integer;
        return (int)held;
    }

    /// <summary>Whether every row has one finite number for every feature.</summary>
    /// <exception cref="HomomorphicException">It has not; the text names the row and the feature, never the number.</exception>
    internal static void Require(IReadOnlyList<FeatureSpecification> features, IReadOnlyList<double[]> rows)
    {
        for (int r = 0; r < rows.Count; r++)
        {
            if (rows[r].Length != features.Count) throw new HomomorphicException(HomomorphicError.FeatureCount, $"Row {r} has {rows[r].Length} features; the model has {features.Count}.");
            for (int i = 0; i < features.Count; i++)
                if (!double.IsFinite(rows[r][i])) throw new HomomorphicException(HomomorphicError.FeatureNotFinite, $"Row {r} has no finite number for {features[i].Name}, and a linear model needs one. Fill it in as the model's training did.");
        }
    }

    /// <summary>Quantisers of a table: its range without a share of the rows at either end, made wider again by a part of itself, in steps to either side of its middle.</summary>
    /// <remarks>They are made of the table alone, because they are public: steps that followed the weights would tell them.</remarks>
    internal static FeatureSpecification[] FromTable(IReadOnlyList<string> names, IReadOnlyList<double[]> columns, double cut, double margin, int steps)
    {
        var features = new FeatureSpecification[names.Count];
        for (int i = 0; i < features.Length; i++)
        {
            double[] ascending = columns[i];
            int skipped = (int)(cut * ascending.Length);
            double low = ascending[skipped], high = ascending[^(1 + skipped)];
            double middle = low / 2 + high / 2, half = (high / 2 - low / 2) * (1 + margin);
            // A feature that is always the same still has a scale: its own size.
            if (!(half > 0)) half = middle == 0 ? 1 : Math.Abs(middle);
            features[i] = new FeatureSpecification { Name = names[i], Offset = middle, Step = Math.Max(half / steps, double.Epsilon), Minimum = -steps, Maximum = steps };
        }
        return features;
    }
}
