namespace Cloister.Attestation;

/// <summary>What an EAT attestation result states besides the result itself.</summary>
/// <param name="Developer">Who made the verifier (<c>ear_verifier_id.developer</c>).</param>
/// <param name="Build">Which version of it (<c>ear_verifier_id.build</c>).</param>
/// <param name="IssuedAt">When the result is issued; written in whole seconds.</param>
public sealed record EarContext(string Developer, string Build, DateTimeOffset IssuedAt)
{
    /// <summary>Until when it may be relied on; null states no end.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The relying party's nonce for the result, 8 to 64 bytes; empty for none.</summary>
    public ReadOnlyMemory<byte> Nonce { get; init; }

    /// <summary>A name of the policy; null for none.</summary>
    public string? PolicyId { get; init; }
}
