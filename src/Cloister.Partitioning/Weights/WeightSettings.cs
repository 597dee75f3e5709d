namespace Cloister.Partitioning.Weights;

/// <summary>How the attack on the weights outside is run.</summary>
public sealed record WeightSettings
{
    /// <summary>Chooses places of features where there are more than the cap.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>How many threads may work; the score is the same for any number.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Pictures that the attacker has the model answer, of those it knows, to fit its own FrontNet to what then crosses; 0 leaves this out.</summary>
    public int Queries { get; init; } = 100;

    /// <summary>Places of features that are fitted, of all queries together.</summary>
    public int MaximumRows { get; init; } = 20_000;

    /// <summary>A tensor of more channels is not fitted; the cost grows with the square.</summary>
    public int MaximumChannels { get; init; } = 1_500;

    /// <summary>The confidence of the intervals.</summary>
    public double Confidence { get; init; } = 0.95;
}
