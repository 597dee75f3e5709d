using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Models;

/// <summary>What a forest is compiled for.</summary>
public sealed record ForestOptions
{
    /// <summary>The model's name.</summary>
    public required string Name { get; init; }

    /// <summary>How many levels a feature has, a power of two from 16 to 256; null for the fewest that agree with the model on the calibration table. Time and sizes grow with it.</summary>
    public int? Levels { get; init; }

    /// <summary>
    /// Whether the edges between levels are the model's own thresholds: then every row is scored as the model scores it, but the thresholds of
    /// every feature are published. Otherwise edges come from the calibration table alone.
    /// </summary>
    public bool ExactThresholds { get; init; }

    /// <summary>The security of keys and ciphertexts.</summary>
    public SecurityLevel Level { get; init; } = SecurityLevel.Bits128;
}
