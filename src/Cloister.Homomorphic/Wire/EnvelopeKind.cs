namespace Cloister.Homomorphic.Wire;

/// <summary>What an envelope carries. Numbers are stable.</summary>
public enum EnvelopeKind
{
    /// <summary>A query in Cloister's own format.</summary>
    Query = 1,

    /// <summary>A query in SEAL's format.</summary>
    SealQuery = 2,

    /// <summary>An answer in Cloister's own format.</summary>
    Answer = 3,

    /// <summary>An answer in SEAL's format.</summary>
    SealAnswer = 4,
}
