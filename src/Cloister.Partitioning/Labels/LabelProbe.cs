using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Labels;

/// <summary>What one way of naming pictures by a tensor that crosses to the inside says of the model's answers to pictures of others.</summary>
/// <param name="Method">The way: <see cref="Ridge"/>, <see cref="RidgeOnScores"/>, <see cref="GreatestColumn"/> or <see cref="Assigned"/>.</param>
/// <param name="Teacher">Who named the pictures that the observer knows: the model itself, whose answers every caller gets, or public models.</param>
/// <param name="FitPictures">Pictures that the observer knows.</param>
/// <param name="Agreement">
/// The share of other pictures for which the model's first answer is named. The interval is widened for the number of probes of a tensor
/// (Bonferroni), so that trying many ways finds nothing by itself.
/// </param>
/// <param name="Chance">The share that the best constant answer gets.</param>
/// <param name="TestPictures">Pictures it was tried on; none of them is known to the observer.</param>
/// <param name="Features">Numbers of the tensor that were used; none, where all are constant and the commonest answer is given.</param>
/// <param name="Lambda">The ridge that was chosen; 0 where there is none.</param>
public sealed record LabelProbe(string Method, string Teacher, int FitPictures, Interval Agreement, double Chance, int TestPictures, int Features, double Lambda)
{
    /// <summary>Least squares from the tensor's numbers to names.</summary>
    public const string Ridge = "ridge";

    /// <summary>Least squares from the tensor's numbers to logarithms of the scores that callers get.</summary>
    public const string RidgeOnScores = "ridge on scores";

    /// <summary>The name that known pictures have most often whose greatest column is the same; of tensors with a column a class.</summary>
    public const string GreatestColumn = "greatest column";

    /// <summary>The name that correlation and assignment give the greatest column; of tensors with a column a class.</summary>
    public const string Assigned = "assignment";

    /// <summary>What the model itself is called as a teacher.</summary>
    public const string Itself = "the model's own answers";

    /// <summary>Whether it names more than the best constant answer, by the lower bound.</summary>
    public bool Found => Agreement.Lower > Chance;

    /// <summary>1 less what it names beyond the best constant answer, from the upper bound: 0 to 1.</summary>
    public double Protection => Chance >= 1 ? 1 : 1 - Math.Clamp((Agreement.Upper - Chance) / (1 - Chance), 0, 1);
}
