using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Import;

/// <summary>What a model is compiled for, whatever its kind.</summary>
public sealed record CompilationOptions
{
    /// <summary>The model's name.</summary>
    public required string Name { get; init; }

    /// <summary>Forests: how many levels a feature has, a power of two from 16 to 256; null for the fewest that agree with the model on the table.</summary>
    public int? Levels { get; init; }

    /// <summary>Linear models: whether answers are encrypted anew and flooded with noise. Forests always are.</summary>
    public bool CircuitPrivacy { get; init; }

    /// <summary>Forests: whether levels are cut at the model's own thresholds, which are then published.</summary>
    public bool ExactThresholds { get; init; }

    /// <summary>The security of keys and ciphertexts.</summary>
    public SecurityLevel Level { get; init; } = SecurityLevel.Bits128;
}
