using Cloister.Partitioning.Statistics;

namespace Cloister.Partitioning.Labels;

/// <summary>What a linear probe, fitted to a tensor of pictures that the observer knows, says of the model's answer to others.</summary>
/// <param name="Teacher">Who named the known pictures: a public model, or the model itself, whose answers every caller gets.</param>
/// <param name="FitPictures">Pictures it was fitted on.</param>
/// <param name="Agreement">The share of other pictures for which it names the model's first answer.</param>
/// <param name="Chance">The share that the best constant answer gets.</param>
/// <param name="TestPictures">Pictures it was tried on; none of them was fitted on.</param>
/// <param name="Features">Numbers of the tensor that it used; none, where all are constant and it gives the commonest answer.</param>
/// <param name="Lambda">The ridge that was chosen.</param>
public sealed record LabelProbe(string Teacher, int FitPictures, Interval Agreement, double Chance, int TestPictures, int Features, double Lambda)
{
    /// <summary>What the model itself is called as a teacher.</summary>
    public const string Itself = "the model's own answers";

    /// <summary>Whether it names more than the best constant answer, by the lower bound.</summary>
    public bool Found => Agreement.Lower > Chance;

    /// <summary>1 less what it names beyond the best constant answer, from the upper bound: 0 to 1.</summary>
    public double Protection => Chance >= 1 ? 1 : 1 - Math.Clamp((Agreement.Upper - Chance) / (1 - Chance), 0, 1);
}
