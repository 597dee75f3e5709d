namespace Cloister.Attestation;

/// <summary>What became of one check.</summary>
public enum Verdict
{
    /// <summary>An earlier check failed, so nobody looked.</summary>
    NotReached = 0,

    /// <summary>It holds.</summary>
    Passed = 1,

    /// <summary>It does not hold.</summary>
    Failed = 2,
}
