using System.Globalization;

namespace Cloister.Partitioning.Inversion;

/// <summary>The attack where everything is given and where nothing is: what its other scores are worth.</summary>
/// <param name="Whole">On the model's input itself: all pictures are found.</param>
/// <param name="Noise">On noise in place of features: no more are found than by chance, and no picture is nearer than the mean.</param>
public sealed record InversionCalibration(InversionScore Whole, InversionScore Noise)
{
    /// <summary>The confidence in what noise may show: a sound attack fails by bad luck less than once in a thousand runs.</summary>
    public const double Confidence = 0.999;

    /// <summary>Decibels that are asked for on the input itself.</summary>
    public const double WholePsnr = 30;

    /// <summary>Decibels that noise may be away from the mean picture.</summary>
    public const double NoisePsnr = 1;

    internal string? Failure
    {
        get
        {
            if (Whole.ReIdentification.Estimate < 1 || Whole.Psnr.Estimate < WholePsnr)
                return string.Create(CultureInfo.InvariantCulture, $"From the model's input itself the attack finds {Whole.ReIdentification.Estimate:p1} of the pictures at {Whole.Psnr.Estimate:f1} dB; it must find all at {WholePsnr} dB at least. Its verdicts are void: are the pixels those of the inputs?");
            if (Noise.ChanceOfAsMany < (1 - Confidence) / 2 || Math.Abs(Noise.PsnrGain.Estimate) > NoisePsnr)
                return string.Create(CultureInfo.InvariantCulture, $"From noise the attack finds {Noise.ReIdentification.Estimate:p1} of the pictures, {Noise.PsnrGain.Estimate:f2} dB from the mean picture; chance is {Noise.Chance:p1}. Its verdicts are void.");
            return null;
        }
    }
}
