using System.Collections.Immutable;

namespace Cloister.Attestation.Dcap;

/// <summary>What may follow a quote in its buffer, unsigned.</summary>
public enum TrailingBytes
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Zero bytes: real quotes come in buffers of a fixed size.</summary>
    Zeros = 1,

    /// <summary>Whatever it is; nobody reads it.</summary>
    Any = 2,
}

/// <summary>What a policy accepts of an Intel platform.</summary>
/// <param name="Statuses">Accepted statuses. <see cref="TcbStatus.NotEvaluated"/> accepts quotes of which signatures alone were checked.</param>
/// <param name="Advisories">Accepted advisories: every one that applies must be listed. Null accepts any.</param>
/// <param name="EvaluationDataNumber">What the collateral's evaluation data number must be; <c>AtLeast</c> keeps an old TCB recovery from being played back.</param>
/// <param name="GraceDays">A platform that is out of date is accepted until so many days after the date of its TCB level; 0 grants none.</param>
/// <param name="AllowDynamicPlatform">Whether processors may be added to the platform. Not allowed, the platform must state that they may not.</param>
/// <param name="AllowCachedKeys">Whether Intel's service may cache the platform's keys; as before.</param>
/// <param name="AllowSmt">Whether simultaneous multithreading may be on; as before.</param>
/// <param name="Trailing">What may follow the quote, unsigned.</param>
public sealed record TcbPolicy(
    ImmutableArray<TcbStatus> Statuses,
    ImmutableArray<string>? Advisories,
    Requirement<long> EvaluationDataNumber,
    int GraceDays,
    bool AllowDynamicPlatform,
    bool AllowCachedKeys,
    bool AllowSmt,
    TrailingBytes Trailing);
