using System.Security.Cryptography.X509Certificates;

namespace Cloister.Collateral;

/// <summary>How a vendor's service is asked.</summary>
public sealed record CollateralServiceOptions
{
    /// <summary>Where it is, if not at the vendor's own address: a mirror, a PCCS. <c>https</c> only; <c>http</c> on this machine alone.</summary>
    public Uri? Address { get; init; }

    /// <summary>Longest time for one request and its answer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Shortest time between two requests; null for what the vendor asks for.</summary>
    public TimeSpan? Pace { get; init; }

    /// <summary>Longest time that a request waits for its turn, or as the service tells it to (<c>Retry-After</c>), at a time.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How often a request is made, the first time included, while the service answers that it is busy or failing (429, 5xx).</summary>
    public int Attempts { get; init; } = 4;

    /// <summary>Roots of the service's TLS certificate in place of the system's: for a PCCS with a certificate of its own.</summary>
    public X509Certificate2Collection? TlsRoots { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
