namespace Cloister.Partitioning.Runner;

/// <summary>What happens to a request that no accelerator can take.</summary>
public enum AcceleratorFallback
{
    /// <summary>It waits for one until its time is over, and is refused.</summary>
    Refuse = 0,
    /// <summary>The BackNet runs inside.</summary>
    Inside = 1,
}

/// <summary>How requests reach accelerators and what is demanded of the answers.</summary>
public sealed record AcceleratorPoolOptions
{
    /// <summary>Requests that wait at once; a further one is refused.</summary>
    public int MaximumQueued { get; init; } = 256;

    /// <summary>Batches that one accelerator holds at once: while one is computed the next is on its way.</summary>
    public int Depth { get; init; } = 3;

    /// <summary>Items of one batch that waiting requests are joined into; 1 joins none. A request of more items goes alone.</summary>
    public int MaximumBatch { get; init; } = 8;

    /// <summary>How often a request is tried again after an accelerator failed it.</summary>
    public int MaximumRetries { get; init; } = 2;

    /// <summary>
    /// The share of answers, 0 to 1, that are computed again inside and compared. An accelerator that lies in n answers stays unnoticed
    /// with a chance of (1 - share)^n: at 0.01, one half after 69 lies, one percent after 459.
    /// </summary>
    public double SpotChecks { get; init; }

    /// <summary>
    /// How far an answer may be from the one computed inside, relative to the largest absolute value of that tensor: other kernels round
    /// differently. Elements that are no floats must be equal.
    /// </summary>
    public double SpotTolerance { get; init; } = 1e-3;

    /// <summary>What happens while no accelerator can take requests.</summary>
    public AcceleratorFallback Fallback { get; init; }

    /// <summary>Runs of the BackNet inside at once, for <see cref="AcceleratorFallback.Inside"/> and spot checks.</summary>
    public int MaximumInside { get; init; } = 1;

    /// <summary>How long a batch may be with an accelerator before it counts as stalled, and how long each step of connecting may take.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long an accelerator may take from the last byte of a model until it is ready.</summary>
    public TimeSpan LoadTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>The first wait before connecting again; it doubles with each fault in a row.</summary>
    public TimeSpan FirstBackoff { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest wait before connecting again.</summary>
    public TimeSpan MaximumBackoff { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>TLS records under one key, after which a link is made anew: RFC 8446, 5.5, allows some 2^24.5 of full size with AES-GCM.</summary>
    internal long MaximumTlsRecords { get; init; } = 1L << 24;

    /// <summary>The clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
