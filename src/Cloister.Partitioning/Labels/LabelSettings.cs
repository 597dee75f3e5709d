using System.Collections.Immutable;

namespace Cloister.Partitioning.Labels;

/// <summary>How the label attack is made.</summary>
public sealed record LabelSettings
{
    /// <summary>Draws the hidden order of the classes, and what is left out where a tensor has more values than are looked at.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Threads; each runs the models for itself.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>At most so many numbers of a tensor go into a probe: maps are averaged over fields as coarse as that needs.</summary>
    public int MaximumFeatures { get; init; } = 1280;

    /// <summary>Ridges to choose from, for standardised features, by a fifth of the pictures that a probe is fitted on.</summary>
    public ImmutableArray<double> Lambdas { get; init; } = [0.0003, 0.003, 0.03, 0.3, 3];

    /// <summary>
    /// Of how many classes a caller of the model gets scores, the greatest; 0 for all, the worst. Who may call it and watches the part
    /// outside fits these to what he sees there: all scores teach him the last layers.
    /// </summary>
    public int ShownScores { get; init; }

    /// <summary>The confidence of the intervals.</summary>
    public double Confidence { get; init; } = 0.95;
}
