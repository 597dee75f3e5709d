namespace Cloister.Platform.Simulation;

/// <summary>How a simulator runs.</summary>
public sealed record SimulatorOptions
{
    /// <summary>The Unix socket it listens on, at most 107 bytes of path; made with mode 0600.</summary>
    public required string SocketPath { get; init; }

    /// <summary>The directory of its signing key, made on first start.</summary>
    public required string HostKeyFolder { get; init; }

    /// <summary>Most peers served at once; further ones wait in the kernel's queue.</summary>
    public int MaximumConnections { get; init; } = 16;

    /// <summary>How long a peer may take to ask, and to take its answer.</summary>
    public TimeSpan PeerTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Where time comes from.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
