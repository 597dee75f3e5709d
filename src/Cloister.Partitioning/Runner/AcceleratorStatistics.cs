using System.Collections.Immutable;

namespace Cloister.Partitioning.Runner;

/// <summary>Where a connection stands.</summary>
public enum AcceleratorPhase
{
    /// <summary>It is being made; the model may be on its way.</summary>
    Connecting = 0,
    /// <summary>It takes requests.</summary>
    Ready = 1,
    /// <summary>It failed; it is made again after a while.</summary>
    Waiting = 2,
    /// <summary>Its accelerator lied and is not asked again.</summary>
    Banned = 3,
    /// <summary>The pool was disposed.</summary>
    Closed = 4,
}

/// <summary>One accelerator of a pool.</summary>
/// <param name="Address">Where it is.</param>
/// <param name="Phase">Where its connection stands.</param>
/// <param name="ModelBytesSent">Bytes of the model sent over this connection, of <paramref name="ModelBytes"/>.</param>
/// <param name="ModelBytes">Bytes of the model.</param>
/// <param name="InFlight">Batches it has.</param>
/// <param name="Faults">How often it did what, over all connections.</param>
/// <param name="LastFault">The last fault in words; null where there was none.</param>
public sealed record AcceleratorState(
    AcceleratorAddress Address, AcceleratorPhase Phase, long ModelBytesSent, long ModelBytes, int InFlight,
    ImmutableDictionary<AcceleratorFault, long> Faults, string? LastFault);

/// <summary>What a pool did since it began. Times are sums, in seconds, over answered requests.</summary>
public sealed record AcceleratorStatistics
{
    /// <summary>Requests taken.</summary>
    public required long Requests { get; init; }

    /// <summary>Requests answered by accelerators.</summary>
    public required long Answered { get; init; }

    /// <summary>Requests answered by the BackNet inside.</summary>
    public required long Inside { get; init; }

    /// <summary>Requests refused: no place, no time, no accelerator, too many faults.</summary>
    public required long Refused { get; init; }

    /// <summary>Requests that wait now.</summary>
    public required int Queued { get; init; }

    /// <summary>Batches sent.</summary>
    public required long Batches { get; init; }

    /// <summary>Requests that were tried again.</summary>
    public required long Retries { get; init; }

    /// <summary>Answers that were computed again inside.</summary>
    public required long SpotChecks { get; init; }

    /// <summary>Faults of all accelerators, by kind.</summary>
    public required ImmutableDictionary<AcceleratorFault, long> Faults { get; init; }

    /// <summary>Bytes sent to accelerators, models and shared memory among them.</summary>
    public required long BytesOut { get; init; }

    /// <summary>Bytes read from accelerators, shared memory among them.</summary>
    public required long BytesIn { get; init; }

    /// <summary>From a request's coming until its batch was taken.</summary>
    public required double QueueSeconds { get; init; }

    /// <summary>From there until the batch was sent.</summary>
    public required double SendSeconds { get; init; }

    /// <summary>From there until the answer began: the way there, the run, the way back.</summary>
    public required double AwaySeconds { get; init; }

    /// <summary>From there until it was read and checked.</summary>
    public required double ReadSeconds { get; init; }
}
