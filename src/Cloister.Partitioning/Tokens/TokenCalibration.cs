using System.Globalization;

namespace Cloister.Partitioning.Tokens;

/// <summary>Token recovery where everything is given and where nothing is: what its other scores are worth.</summary>
/// <param name="Whole">From each token's own row of the table: all are recovered.</param>
/// <param name="Noise">From noise: no more than guessing gives.</param>
public sealed record TokenCalibration(TokenScore Whole, TokenScore Noise)
{
    /// <summary>The confidence in what noise may show: a sound attack fails by bad luck less than once in a thousand runs.</summary>
    public const double Confidence = 0.999;

    /// <summary>The share that must be recovered; tokens that were never trained can share a row.</summary>
    public const double WholeAccuracy = 0.95;

    internal string? Failure
    {
        get
        {
            if (Whole.Accuracy.Estimate < WholeAccuracy)
                return string.Create(CultureInfo.InvariantCulture, $"From the tokens' own rows {Whole.Accuracy.Estimate:p1} are recovered; {WholeAccuracy:p0} must be. The verdicts are void: do many tokens share an embedding?");
            if (Noise.ExceedsChance(Confidence))
                return string.Create(CultureInfo.InvariantCulture, $"From noise {Noise.Accuracy.Estimate:p2} of the tokens are recovered; guessing gives {Noise.Chance:p2}. The verdicts are void.");
            return null;
        }
    }
}
