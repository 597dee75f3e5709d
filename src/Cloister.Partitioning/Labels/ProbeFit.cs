using Cloister.Partitioning.Algebra;
using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Labels;

/// <summary>Fits a linear probe from a tensor's numbers to names of known pictures, and tries it on others.</summary>
internal static class ProbeFit
{
    /// <summary>Fits and tries.</summary>
    /// <param name="settings">The ridges to choose from.</param>
    /// <param name="teacher">Who named the known pictures.</param>
    /// <param name="features">Row-major [pictures, count]: first the known pictures, then those it is tried on.</param>
    /// <param name="count">Numbers of a row.</param>
    /// <param name="taught">A name for each known picture.</param>
    /// <param name="truth">The model's first answer to each of the others.</param>
    /// <param name="product">What multiplies.</param>
    /// <param name="cancellation">Stops it.</param>
    public static LabelProbe Run(
        LabelSettings settings, string teacher, float[] features, int count, string[] taught, string[] truth, MatrixProduct product, CancellationToken cancellation)
    {
        string[] names = [.. taught.Distinct()];
        Dictionary<string, int> places = names.Select((name, place) => (name, place)).ToDictionary(pair => pair.name, pair => pair.place);
        int[] targets = [.. taught.Select(name => places[name])];
        double chance = truth.CountBy(name => name).Max(pair => pair.Value) / (double)truth.Length;
        if (Constant(features, count, taught.Length))
        {
            string most = taught.CountBy(name => name).MaxBy(pair => pair.Value).Key;
            return Judged(truth.Count(name => name == most), 0, 0);
        }
        int kept = Math.Max(1, taught.Length - taught.Length / 5);
        RidgeModel chosen = Best(settings, Equations(features, count, targets, names.Length, 0, kept, product), features, count, targets, kept, product, cancellation);
        RidgeModel model = kept == taught.Length
            ? chosen
            : Equations(features, count, targets, names.Length, 0, taught.Length, product).Solve(chosen.Lambda, settings.Threads, cancellation);
        int[] told = Predict(model, features, count, taught.Length, truth.Length, product);
        int right = told.Where((place, i) => names[place] == truth[i]).Count();
        return Judged(right, model.UsedFeatures, model.Lambda);

        LabelProbe Judged(int right, int used, double lambda) =>
            new(teacher, taught.Length, Proportion.Wilson(right, truth.Length, settings.Confidence), chance, truth.Length, used, lambda);
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
    private static RidgeModel Best(
        LabelSettings settings, NormalEquations equations, float[] features, int count, int[] targets, int kept, MatrixProduct product, CancellationToken cancellation)
    {
        RidgeModel? best = null;
        int most = -1;
        foreach (double lambda in settings.Lambdas.Order())
        {
            cancellation.ThrowIfCancellationRequested();
            RidgeModel model = equations.Solve(lambda, settings.Threads, cancellation);
            int right = kept == targets.Length ? 0 : Predict(model, features, count, kept, targets.Length - kept, product).Where((place, i) => place == targets[kept + i]).Count();
            if (right >= most)
                (best, most) = (model, right);
        }
        return best ?? throw new ArgumentException("There is no ridge to choose from.", nameof(settings));
    }

    private static NormalEquations Equations(float[] features, int count, int[] targets, int names, int from, int rows, MatrixProduct product)
    {
        var equations = new NormalEquations(count, names, product);
        var y = new float[rows * names];
        for (int i = 0; i < rows; i++)
            y[i * names + targets[from + i]] = 1;
        equations.Add(features.AsSpan(from * count, rows * count).ToArray(), y, rows);
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
