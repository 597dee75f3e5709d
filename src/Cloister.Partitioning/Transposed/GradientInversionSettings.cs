using Cloister.Partitioning.Inversion;

namespace Cloister.Partitioning.Transposed;

/// <summary>How long the search goes on. Cost: pictures * restarts * iterations runs of FrontNet forwards and backwards.</summary>
public sealed record GradientInversionSettings
{
    /// <summary>Chooses where restarts begin, and samples of intervals.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Threads; each searches for one picture at a time.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Steps of a search, at least 1.</summary>
    public int Iterations { get; init; } = 300;

    /// <summary>
    /// Searches a picture, at least 1, of which the one with the nearest features counts. The first begins where <see cref="Decoder"/> leads,
    /// others beside the mean picture.
    /// </summary>
    public int Restarts { get; init; } = 1;

    /// <summary>How the linear decoder is fitted that searches begin at; its seed and threads are these. Null to begin at the mean picture.</summary>
    public InversionSettings? Decoder { get; init; } = new();

    /// <summary>The length of a step at the beginning, in pixel values of 0 to 1; it falls to nothing along half a cosine.</summary>
    public double StepLength { get; init; } = 0.02;

    /// <summary>
    /// What a picture's roughness (the mean step between neighbours at 32 x 32; finer pictures count alike) weighs at the beginning against the
    /// share of the features' distance that is left; it falls faster than the steps do. Smooth first, then sharp finds more than either.
    /// </summary>
    public double TotalVariation { get; init; } = 1;

    /// <summary>At most so many of the test pictures are searched for; they are recognised among all of them.</summary>
    public int MaximumPictures { get; init; } = 8;

    /// <summary>Reconstructed pictures that are kept for people to look at.</summary>
    public int KeptPictures { get; init; } = 4;

    /// <summary>The confidence of the intervals.</summary>
    public double Confidence { get; init; } = 0.95;
}
