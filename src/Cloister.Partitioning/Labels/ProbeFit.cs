using Cloister.Partitioning.Algebra;

namespace Cloister.Partitioning.Labels;

/// <summary>Fits a linear probe from a tensor's numbers to names or scores of known pictures, and names others by it.</summary>
internal static class ProbeFit
{
    // Softmax in 32-bit floats goes down to some 10^-38 and then to 0, of which there is no logarithm.
    private const float Least = 1e-20f;

    /// <summary>Fits to one name a picture.</summary>
    /// <param name="settings">The ridges to choose from.</param>
    /// <param name="features">Row-major [pictures, count]: first the known pictures, then those to name.</param>
    /// <param name="count">Numbers of a row.</param>
    /// <param name="taught">A name for each known picture.</param>
    /// <param name="product">What multiplies.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The names, the numbers that were used, the ridge.</returns>
    public static (string[] Names, int Used, double Lambda) ToNames(
        LabelSettings settings, float[] features, int count, string[] taught, MatrixProduct product, CancellationToken cancellation)
    {
        string[] names = [.. taught.Distinct()];
        Dictionary<string, int> places = names.Select((name, place) => (name, place)).ToDictionary(pair => pair.name, pair => pair.place);
        var targets = new float[taught.Length * names.Length];
        for (int i = 0; i < taught.Length; i++)
            targets[i * names.Length + places[taught[i]]] = 1;
        return Run(settings, features, count, new Answers(targets, taught.Length, names.Length), names, product, cancellation);
    }

    /// <summary>Fits to the logarithms of the scores that a caller gets: of all classes, or of the first few, the others a little below the last of these.</summary>
    /// <param name="settings">The ridges to choose from, and how many scores a caller gets.</param>
    /// <param name="features">Row-major [pictures, count]: first the known pictures, then those to name.</param>
    /// <param name="count">Numbers of a row.</param>
    /// <param name="taught">The model's answers to the known pictures.</param>
    /// <param name="names">Names of its classes.</param>
    /// <param name="product">What multiplies.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The names, the numbers that were used, the ridge.</returns>
    public static (string[] Names, int Used, double Lambda) ToScores(
        LabelSettings settings, float[] features, int count, Answers taught, IReadOnlyList<string> names, MatrixProduct product, CancellationToken cancellation)
    {
        int shown = settings.ShownScores <= 0 ? taught.Classes : Math.Min(settings.ShownScores, taught.Classes);
        var targets = new float[taught.Values.Length];
        for (int picture = 0; picture < taught.Pictures; picture++)
        {
            ReadOnlySpan<float> scores = taught.Values.AsSpan(picture * taught.Classes, taught.Classes);
            Span<float> row = targets.AsSpan(picture * taught.Classes, taught.Classes);
            for (int i = 0; i < row.Length; i++)
                row[i] = MathF.Log(Math.Max(scores[i], Least));
            if (shown == taught.Classes)
                continue;
            float last = row.ToArray().OrderDescending().ElementAt(shown - 1);
            foreach (ref float value in row)
                value = value >= last ? value - last + 1 : 0;
        }
        return Run(settings, features, count, taught with { Values = targets }, names, product, cancellation);
    }

    private static (string[] Names, int Used, double Lambda) Run(
        LabelSettings settings, float[] features, int count, Answers targets, IReadOnlyList<string> names, MatrixProduct product, CancellationToken cancellation)
    {
        int known = targets.Pictures, others = features.Length / count - known, kept = known - known / 5;
        if (Constant(features, count, known))
        {
            int commonest = Enumerable.Range(0, known).CountBy(targets.First).MaxBy(pair => pair.Value).Key;
            return ([.. Enumerable.Repeat(names[commonest], others)], 0, 0);
        }
        double lambda = Choose(settings, features, count, targets, kept, product, cancellation);
        RidgeModel model = Equations(features, count, targets, known, product).Solve(lambda, settings.Threads, cancellation);
        return ([.. Predict(model, features, count, known, others, product).Select(place => names[place])], model.UsedFeatures, lambda);
    }

    // Tensors that are the same for every known picture leave only one answer to give.
    private static bool Constant(float[] features, int count, int rows)
    {
        for (int row = 1; row < rows; row++)
        {
            if (!features.AsSpan(row * count, count).SequenceEqual(features.AsSpan(0, count)))
                return false;
        }
        return true;
    }

    // The ridge under which most of the pictures that were kept back are named as they were taught; the greater of equals.
    private static double Choose(
        LabelSettings settings, float[] features, int count, Answers targets, int kept, MatrixProduct product, CancellationToken cancellation)
    {
        NormalEquations equations = Equations(features, count, targets, kept, product);
        double best = double.NaN;
        int most = -1;
        foreach (double lambda in settings.Lambdas.Order())
        {
            cancellation.ThrowIfCancellationRequested();
            if (equations.TrySolve(lambda, [.. Enumerable.Range(0, targets.Classes)], settings.Threads, cancellation) is not { } model)
                continue;
            int right = Predict(model, features, count, kept, targets.Pictures - kept, product).Where((place, i) => place == targets.First(kept + i)).Count();
            if (right >= most)
                (best, most) = (lambda, right);
        }
        return most >= 0 ? best : throw new ArgumentException("There is no ridge to choose from, or none that is large enough.", nameof(settings));
    }

    private static NormalEquations Equations(float[] features, int count, Answers targets, int rows, MatrixProduct product)
    {
        var equations = new NormalEquations(count, targets.Classes, product);
        equations.Add(features.AsSpan(0, rows * count).ToArray(), targets.Take(rows).Values, rows);
        return equations;
    }

    private static int[] Predict(RidgeModel model, float[] features, int count, int from, int rows, MatrixProduct product)
    {
        var y = new float[rows * model.Targets];
        model.Predict(features.AsSpan(from * count, rows * count).ToArray(), rows, y, product);
        var named = new Answers(y, rows, model.Targets);
        return [.. Enumerable.Range(0, rows).Select(named.First)];
    }
}
