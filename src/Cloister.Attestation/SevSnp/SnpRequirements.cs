namespace Cloister.Attestation.SevSnp;

/// <summary>The least TCB that a policy accepts, component by component.</summary>
public sealed record SnpTcbMinimum
{
    private SnpTcbMinimum(SnpTcb? minimum) => Minimum = minimum;

    /// <summary>Whatever it is.</summary>
    public static SnpTcbMinimum Any { get; } = new((SnpTcb?)null);

    /// <summary>The least; null if it may be anything.</summary>
    public SnpTcb? Minimum { get; }

    /// <summary>Every component at least this.</summary>
    public static SnpTcbMinimum AtLeast(SnpTcb minimum) => new(minimum);

    /// <summary>Whether a TCB satisfies it.</summary>
    public bool Accepts(SnpTcb tcb) => Minimum is not { } minimum || tcb.IsAtLeast(minimum);

    /// <inheritdoc/>
    public override string ToString() => Minimum is { } minimum ? $"at least {minimum}" : "any";
}

/// <summary>Bits of a guest's policy (AMD 56860, guest policy); bits 0 to 15 are the least firmware interface version, minor and major.</summary>
[Flags]
public enum SnpGuestPolicyBits : ulong
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Simultaneous multithreading may be on.</summary>
    SmtAllowed = 1 << 16,

    /// <summary>Always one.</summary>
    MustBeOne = 1 << 17,

    /// <summary>A migration agent may be let in.</summary>
    MigrationAgentAllowed = 1 << 18,

    /// <summary>The host may debug the guest, that is read all of its memory.</summary>
    DebugAllowed = 1 << 19,

    /// <summary>The guest runs on one socket alone.</summary>
    SingleSocket = 1 << 20,

    /// <summary>CXL devices and memory may be there.</summary>
    CxlAllowed = 1 << 21,

    /// <summary>Memory is encrypted by AES-256-XTS.</summary>
    MemoryAes256Xts = 1 << 22,

    /// <summary>The platform's power reporting must be off.</summary>
    RaplDisabled = 1 << 23,

    /// <summary>Ciphertext of memory must be hidden from the host.</summary>
    CiphertextHiding = 1 << 24,

    /// <summary>The host may not swap pages of the guest.</summary>
    PageSwapDisabled = 1 << 25,
}

/// <summary>Bits of a report's platform info (AMD 56860, PLATFORM_INFO).</summary>
[Flags]
public enum SnpPlatformBits : ulong
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Simultaneous multithreading is on.</summary>
    Smt = 1 << 0,

    /// <summary>All memory is encrypted.</summary>
    Tsme = 1 << 1,

    /// <summary>Memory corrects errors.</summary>
    Ecc = 1 << 2,

    /// <summary>Power reporting is off.</summary>
    RaplDisabled = 1 << 3,

    /// <summary>Ciphertext is hidden from the host.</summary>
    CiphertextHiding = 1 << 4,

    /// <summary>Memory was checked for aliases since the last start (AMD-SB-3015).</summary>
    AliasCheckComplete = 1 << 5,

    /// <summary>Trusted I/O is on.</summary>
    Tio = 1 << 7,
}
