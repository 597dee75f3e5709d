using Cloister.Homomorphic.Ring;

namespace Cloister.Homomorphic.Models;

/// <summary>What a linear model is compiled for.</summary>
public sealed record LinearOptions
{
    /// <summary>The model's name.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// Whether answers hide everything but the scores: they are encrypted anew and flooded with noise. It costs a larger ring and the client's public key
    /// in every query, and does not hide a linear model from a client who may ask for as many rows as it has features, and one more.
    /// </summary>
    public bool CircuitPrivacy { get; init; }

    /// <summary>The security of keys and ciphertexts.</summary>
    public SecurityLevel Level { get; init; } = SecurityLevel.Bits128;
}
