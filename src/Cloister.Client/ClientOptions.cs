namespace Cloister.Client;

/// <summary>Bounds and clock of everything a client does with a peer, verified or not.</summary>
public sealed record ClientOptions
{
    /// <summary>How long a connection with its TLS handshake may take.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long one exchange with a coordinator, or the fetching of evidence, may take.</summary>
    public TimeSpan ExchangeTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a workload's evidence stands for its certificate before fresh evidence is asked for.</summary>
    public TimeSpan EvidenceLifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The clock of certificates, evidence lifetimes and timeouts.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
