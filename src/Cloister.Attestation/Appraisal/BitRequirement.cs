namespace Cloister.Attestation;

/// <summary>What a policy asks of a field of 64 bits.</summary>
/// <param name="Required">Bits that must be set.</param>
/// <param name="Allowed">Bits that may be set; all others must not be.</param>
public readonly record struct BitRequirement(ulong Required, ulong Allowed)
{
    /// <summary>Whatever is set.</summary>
    public static BitRequirement Any { get; } = new(0, ulong.MaxValue);

    /// <summary>These bits and no others.</summary>
    public static BitRequirement Exactly(ulong bits) => new(bits, bits);

    /// <summary>Whether a value satisfies it.</summary>
    public bool Accepts(ulong value) => (value & Required) == Required && (value & ~Allowed) == 0;

    /// <inheritdoc/>
    public override string ToString() => $"required 0x{Required:x16}, allowed 0x{Allowed:x16}";
}
