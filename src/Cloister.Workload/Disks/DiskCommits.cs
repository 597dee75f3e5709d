using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Google.Protobuf;

namespace Cloister.Workload;

/// <summary>
/// Asks the coordinator that activated this workload which commit of a sealed disk counts, and has the next one count. Every call verifies the
/// coordinator by the measured policy, over the very connection on which it is asked, and takes an answer from no other coordinator than the one of the activation.
/// </summary>
public sealed class DiskCommits
{
    private const int DigestBytes = 32;

    private readonly WorkloadActivator _activator;
    private readonly Activation _activation;

    /// <summary>For an activated workload; <paramref name="activation"/> stays its owner's.</summary>
    public DiskCommits(WorkloadActivator activator, Activation activation)
    {
        ArgumentNullException.ThrowIfNull(activator);
        ArgumentNullException.ThrowIfNull(activation);
        (_activator, _activation) = (activator, activation);
    }

    /// <summary>What counts.</summary>
    /// <param name="name">The disk's name, 1 to 64 ASCII characters.</param>
    /// <param name="machine">Whether the disk belongs to this workload's UUID; otherwise to all workloads of its type together.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="WorkloadException"><see cref="WorkloadError.DiskUnanswered"/>, <see cref="WorkloadError.DiskRefused"/>, or a refusal of the coordinator by this workload.</exception>
    public Task<DiskCommit> ReadAsync(string name, bool machine, CancellationToken cancellation = default) =>
        AskAsync(new DiskReq { Name = name, Machine = machine }, cancellation);

    /// <summary>
    /// Has <paramref name="next"/> count if <paramref name="expected"/> does, and answers what counts then: <paramref name="next"/>, or what came
    /// in between. Asked again, because the answer was lost, it answers the same.
    /// </summary>
    /// <inheritdoc cref="ReadAsync"/>
    /// <param name="name">The disk's name, 1 to 64 ASCII characters.</param>
    /// <param name="machine">Whether the disk belongs to this workload's UUID; otherwise to all workloads of its type together.</param>
    /// <param name="expected">What counts before.</param>
    /// <param name="next">The commit of the version after it.</param>
    /// <param name="cancellation">Ends the wait; whether <paramref name="next"/> counts is then not known.</param>
    public Task<DiskCommit> RaiseAsync(string name, bool machine, DiskCommit expected, DiskCommit next, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(next);
        if (next.Version == 0 || next.Version - 1 != expected.Version)
            throw new ArgumentException($"Version {next.Version} does not follow version {expected.Version}.", nameof(next));
        return AskAsync(new DiskReq { Name = name, Machine = machine, Expected = MessageOf(expected), Next = MessageOf(next) }, cancellation);
    }

    private async Task<DiskCommit> AskAsync(DiskReq request, CancellationToken cancellation)
    {
        ArgumentException.ThrowIfNullOrEmpty(request.Name);
        try
        {
            return CommitOf((await _activator.AskDiskAsync(_activation, request, cancellation)).Counts);
        }
        catch (GrpcException refusal)
        {
            throw refusal.Status is GrpcStatus.PermissionDenied or GrpcStatus.InvalidArgument or GrpcStatus.Unauthenticated or GrpcStatus.Unimplemented
                ? new WorkloadException(WorkloadError.DiskRefused, $"The coordinator refused to answer for the sealed disk '{request.Name}' ({refusal.Status}): {refusal.Detail}", refusal)
                : new WorkloadException(WorkloadError.DiskUnanswered, $"The coordinator did not answer for the sealed disk '{request.Name}': {refusal.Message}", refusal);
        }
    }

    private static DiskStateMessage MessageOf(DiskCommit commit) => new() { Version = commit.Version, Digest = ByteString.CopyFrom(commit.Digest.Span) };

    private static DiskCommit CommitOf(DiskStateMessage? message)
    {
        if (message is null || message.Digest.Length != (message.Version == 0 ? 0 : DigestBytes))
            throw new WorkloadException(WorkloadError.InvalidAnswer, "The coordinator's answer for a sealed disk names no commit.");
        return new DiskCommit(message.Version, message.Digest.ToByteArray());
    }
}
