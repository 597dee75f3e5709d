using Cloister.Partitioning.Algebra;

namespace Cloister.Partitioning.Labels;

/// <summary>Fits a linear probe from a tensor's numbers to names of known pictures, and names others by it.</summary>
internal static class ProbeFit
{
    /// <summary>Fits, and names.</summary>
    /// <param name="settings">The ridges to choose from.</param>
    /// <param name="features">Row-major [pictures, count]: first the known pictures, then those to name.</param>
    /// <param name="count">Numbers of a row.</param>
    /// <param name="taught">A name for each known picture.</param>
    /// <param name="product">What multiplies.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The names, the numbers that were used, the ridge.</returns>
    public static (string[] Names, int Used, double Lambda) Run(
        LabelSettings settings, float[] features, int count, string[] taught, MatrixProduct product, CancellationToken cancellation)
    {
        string[] names = [.. taught.Distinct()];
        Dictionary<string, int> places = names.Select((name, place) => (name, place)).ToDictionary(pair => pair.name, pair => pair.place);
        int[] targets = [.. taught.Select(name => places[name])];
        int others = features.Length / count - taught.Length;
        if (Constant(features, count, taught.Length))
            return ([.. Enumerable.Repeat(taught.CountBy(name => name).MaxBy(pair => pair.Value).Key, others)], 0, 0);
        int kept = taught.Length - taught.Length / 5;
        double lambda = Choose(settings, Equations(features, count, targets, names.Length, kept, product), features, count, targets, kept, product, cancellation);
        RidgeModel model = Equations(features, count, targets, names.Length, taught.Length, product).Solve(lambda, settings.Threads, cancellation);
        return ([.. Predict(model, features, count, taught.Length, others, product).Select(place => names[place])], model.UsedFeatures, lambda);
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
        LabelSettings settings, NormalEquations equations, float[] features, int count, int[] targets, int kept, MatrixProduct product, CancellationToken cancellation)
    {
        double best = double.NaN;
        int most = -1;
        foreach (double lambda in settings.Lambdas.Order())
        {
            cancellation.ThrowIfCancellationRequested();
            RidgeModel model = equations.Solve(lambda, settings.Threads, cancellation);
            int right = Predict(model, features, count, kept, targets.Length - kept, product).Where((place, i) => place == targets[kept + i]).Count();
            if (right >= most)
                (best, most) = (lambda, right);
        }
        return most >= 0 ? best : throw new ArgumentException("There is no ridge to choose from.", nameof(settings));
    }

    private static NormalEquations Equations(float[] features, int count, int[] targets, int names, int rows, MatrixProduct product)
    {
        var equations = new NormalEquations(count, names, product);
        var y = new float[rows * names];
        for (int i = 0; i < rows; i++)
            y[i * names + targets[i]] = 1;
        equations.Add(features.AsSpan(0, rows * count).ToArray(), y, rows);
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
