using Cloister.Partitioning.Algebra;

namespace Cloister.Partitioning.Membership;

/// <summary>A number a picture, the greater the more it is like members: a linear map learned from pictures that are known as members or others.</summary>
internal static class MemberProbe
{
    private const int Folds = 5;

    private static ReadOnlySpan<double> Ridges => [1e-3, 1e-2, 1e-1, 1, 10, 100];

    /// <summary>Learns from the known pictures and gives numbers to the others.</summary>
    /// <param name="rows">Row-major [pictures, count].</param>
    /// <param name="count">Numbers of a row.</param>
    /// <param name="free">So many of the last numbers are known to matter, and are held back by no ridge.</param>
    /// <param name="known">Places of the known pictures.</param>
    /// <param name="members">For each known picture, whether it is a member.</param>
    /// <param name="asked">Places of the pictures that are to be told apart.</param>
    /// <param name="product">What multiplies.</param>
    /// <param name="cancellation">Stops it.</param>
    public static double[] Tell(float[] rows, int count, int free, int[] known, bool[] members, int[] asked, MatrixProduct product, CancellationToken cancellation)
    {
        double best = double.NaN, least = double.PositiveInfinity;
        foreach (double ridge in Ridges)
        {
            cancellation.ThrowIfCancellationRequested();
            if (Error(rows, count, free, known, members, ridge, product, cancellation) is var error && error < least)
                (best, least) = (ridge, error);
        }
        // Where there is nothing to learn from, all are alike.
        return !double.IsNaN(best) && Solve(rows, count, free, known, members, best, product, cancellation) is { } model ? Predict(model, rows, count, asked, product) : new double[asked.Length];
    }

    // The squared error on pictures of which each was left out once; infinite where the ridge is too small to solve.
    private static double Error(float[] rows, int count, int free, int[] known, bool[] members, double ridge, MatrixProduct product, CancellationToken cancellation)
    {
        double sum = 0;
        for (int fold = 0; fold < Folds; fold++)
        {
            int[] kept = [.. Enumerable.Range(0, known.Length).Where(i => i % Folds != fold)], left = [.. Enumerable.Range(0, known.Length).Where(i => i % Folds == fold)];
            if (Solve(rows, count, free, [.. kept.Select(i => known[i])], [.. kept.Select(i => members[i])], ridge, product, cancellation) is not { } model)
                return double.PositiveInfinity;
            double[] told = Predict(model, rows, count, [.. left.Select(i => known[i])], product);
            for (int i = 0; i < left.Length; i++)
                sum += Math.Pow(told[i] - Target(members[left[i]]), 2);
        }
        return sum;
    }

    private static RidgeModel? Solve(float[] rows, int count, int free, int[] places, bool[] members, double ridge, MatrixProduct product, CancellationToken cancellation)
    {
        var equations = new NormalEquations(count, 1, product, free);
        equations.Add(Chosen(rows, count, places), members.Select(Target).ToArray(), places.Length);
        try
        {
            return equations.TrySolve(ridge, [0], 1, cancellation);
        }
        catch (PartitioningException constant) when (constant.Error == PartitioningError.FeaturesRefused)
        {
            // All columns are the same for all pictures: an answer that never changes, for example.
            return null;
        }
    }

    private static double[] Predict(RidgeModel model, float[] rows, int count, int[] places, MatrixProduct product)
    {
        float[] told = new float[places.Length];
        model.Predict(Chosen(rows, count, places), places.Length, told, product);
        return [.. told.Select(value => (double)value)];
    }

    private static float[] Chosen(float[] rows, int count, int[] places)
    {
        float[] chosen = new float[places.Length * count];
        for (int i = 0; i < places.Length; i++)
            Row(rows, count, places[i]).CopyTo(chosen.AsSpan(i * count));
        return chosen;
    }

    private static ReadOnlySpan<float> Row(float[] rows, int count, int place) => rows.AsSpan(place * count, count);

    private static float Target(bool member) => member ? 1 : -1;
}
