namespace Cloister.Attestation;

/// <summary>The time at which certificates and collateral must be valid, or the explicit wish not to look at time.</summary>
public sealed record VerificationTime
{
    private VerificationTime(DateTimeOffset? instant) => Instant = instant;

    /// <summary>The instant; null if time is not checked.</summary>
    public DateTimeOffset? Instant { get; }

    /// <summary>Nothing is refused for its validity period. For archives and tests, never for a live peer.</summary>
    public static VerificationTime NoTimeCheck { get; } = new((DateTimeOffset?)null);

    /// <summary>Everything must be valid at <paramref name="instant"/>; take it from a <see cref="TimeProvider"/>.</summary>
    public static VerificationTime At(DateTimeOffset instant) => new(instant);
}
