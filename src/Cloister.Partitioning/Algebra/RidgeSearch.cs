namespace Cloister.Partitioning.Algebra;

/// <summary>Chooses the ridge by the error on rows that were held out.</summary>
internal static class RidgeSearch
{
    /// <summary>From nearly none to one that leaves little but the means.</summary>
    public static ReadOnlySpan<double> Ridges => [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 100];

    /// <summary>Walks down from the middle to the ridge whose neighbours are worse.</summary>
    /// <param name="fit">What is fitted.</param>
    /// <param name="holdOut">Its sibling.</param>
    /// <param name="targets">The targets by which to choose.</param>
    /// <param name="threads">How many may work.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.FeaturesRefused"/>: nothing can be fitted.</exception>
    public static double Choose(NormalEquations fit, NormalEquations holdOut, int[] targets, int threads, CancellationToken cancellation)
    {
        double[] ridges = Ridges.ToArray(), errors = new double[ridges.Length];
        double Error(int i)
        {
            if (errors[i] == 0)
                errors[i] = fit.TrySolve(ridges[i], targets, threads, cancellation) is { } model
                    ? holdOut.MeanSquaredError(model, targets, threads, cancellation) + double.Epsilon
                    : double.PositiveInfinity;
            return errors[i];
        }

        int at = ridges.Length / 2 - 1;
        while (true)
        {
            int next = at;
            if (at > 0 && Error(at - 1) < Error(next))
                next = at - 1;
            if (at + 1 < ridges.Length && (Error(at + 1) < Error(next) || double.IsInfinity(Error(next))))
                next = at + 1;
            if (next == at)
                break;
            at = next;
        }
        return double.IsFinite(Error(at))
            ? ridges[at]
            : throw new PartitioningException(PartitioningError.FeaturesRefused, "The features depend on each other so much that no ridge helps.");
    }
}
