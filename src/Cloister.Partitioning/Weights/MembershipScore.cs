using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Weights;

/// <summary>Whether the model's answers tell its training pictures from others, by their confidence alone: the simplest such attack, and so a lower bound.</summary>
/// <param name="Members">Pictures that the model was trained on.</param>
/// <param name="Others">Pictures that it was not.</param>
/// <param name="Auc">How often a member is answered with more confidence than another picture; 0.5 by chance.</param>
public sealed record MembershipScore(int Members, int Others, Interval Auc)
{
    /// <summary><see cref="Auc"/> by chance.</summary>
    public const double Chance = 0.5;

    /// <summary>Whether members are told from others.</summary>
    public bool Leaks => Auc.Lower > Chance;

    /// <summary>
    /// Compares confidences. The interval holds every true value that would not make the observed one improbable, its variance by J. Hanley
    /// and B. McNeil (Radiology 143, 1982) at that true value (R. Newcombe, Statistics in Medicine 25, 2006, method 5), so that it has a width at 0 and 1 too.
    /// </summary>
    /// <exception cref="ArgumentException">A side is empty.</exception>
    public static MembershipScore Of(ReadOnlySpan<double> members, ReadOnlySpan<double> others, double confidence)
    {
        if (members.IsEmpty || others.IsEmpty)
            throw new ArgumentException("Both members and others are needed.");
        double wins = 0;
        foreach (double member in members)
            foreach (double other in others)
                wins += member > other ? 1 : member == other ? 0.5 : 0;
        double auc = wins / members.Length / others.Length, z = Normal.Deviate(confidence), m = members.Length, n = others.Length;
        return new MembershipScore(members.Length, others.Length, new Interval(Bound(0, auc), auc, Bound(1, auc)));

        double Bound(double far, double near)
        {
            // The farthest value on this side that still reaches the observed one.
            for (int i = 0; i < 60; i++)
            {
                double middle = (far + near) / 2;
                if (Math.Abs(middle - auc) <= z * Deviation(middle))
                    near = middle;
                else
                    far = middle;
            }
            return near;
        }

        double Deviation(double a)
        {
            double mean = (m + n) / 2 - 1;
            return Math.Sqrt(a * (1 - a) * (1 + mean * (1 - a) / (2 - a) + mean * a / (1 + a)) / (m * n));
        }
    }
}
