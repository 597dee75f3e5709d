using System.Collections.Immutable;

namespace Cloister.Partitioning.Heuristic;

/// <summary>How delta is spread: values at shares of the ordered sample, mixed linearly between neighbours.</summary>
/// <param name="Least">The least.</param>
/// <param name="Twentieth">5 % lie below.</param>
/// <param name="Quarter">25 % lie below.</param>
/// <param name="Median">Half lie below.</param>
/// <param name="ThreeQuarters">75 % lie below.</param>
/// <param name="Greatest">The greatest.</param>
public sealed record DeltaQuantiles(double Least, double Twentieth, double Quarter, double Median, double ThreeQuarters, double Greatest)
{
    internal static DeltaQuantiles Of(IEnumerable<double> sample)
    {
        ImmutableArray<double> ordered = [.. sample.Order()];
        return new DeltaQuantiles(At(ordered, 0), At(ordered, 0.05), At(ordered, 0.25), At(ordered, 0.5), At(ordered, 0.75), At(ordered, 1));
    }

    private static double At(ImmutableArray<double> ordered, double share)
    {
        double place = share * (ordered.Length - 1);
        int below = (int)place;
        return below == ordered.Length - 1 ? ordered[below] : ordered[below] + (ordered[below + 1] - ordered[below]) * (place - below);
    }
}
