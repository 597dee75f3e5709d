using System.Collections.Immutable;
using System.Text;
using Cloister.Coordinator.State;
using Cloister.Protocol.Marble;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Counters;

/// <summary>
/// Which commit of a sealed disk counts. A version is only ever followed by the next one, and only from the commit that counts, so of two
/// machines with one disk one fails. What is answered is durable.
/// </summary>
internal sealed class DiskService(LiveState state, ILogger<DiskService> logger)
{
    internal const int MaxNameBytes = 64, MaxForOneOwner = 100, MaxDisks = 100_000, DigestBytes = 32;

    /// <summary>What counts, after the change that the request asks for, if any, and if what counts is what it expects.</summary>
    /// <exception cref="CoordinatorException">WrongState, BadRequest, CounterRefused.</exception>
    public async Task<DiskResp> AnswerAsync(WorkloadIdentity workload, DiskReq request, CancellationToken cancellation)
    {
        string owner = OwnerOf(workload, request.Machine), key = owner + Base64(RequireName(request.Name));
        if (request.Next is null)
            return Answer(RequireReady(state.Current).Disks.GetValueOrDefault(key, DiskRecord.None));
        DiskRecord expected = RecordOf(request.Expected), next = RecordOf(request.Next);
        if (next.Version == 0 || next.Version - 1 != expected.Version)
            throw new CoordinatorException(CoordinatorError.BadRequest, $"Version {next.Version} does not follow version {expected.Version}.");

        DiskRecord counts = DiskRecord.None;
        await state.ChangeAsync(current =>
        {
            RequireReady(current);
            counts = current.Disks.GetValueOrDefault(key, DiskRecord.None);
            if (counts != expected)
                return current;
            if (counts == DiskRecord.None)
                RequireRoom(current, owner);
            counts = next;
            return current with { Disks = current.Disks.SetItem(key, next) };
        }, cancellation);
        // The same request again, because its answer was lost, is answered as it was.
        if (counts == next)
            logger.DiskCommitted(workload.Type, workload.Uuid, request.Name, next.Version);
        else
            logger.DiskCommitRefused(workload.Type, workload.Uuid, request.Name, next.Version, counts.Version);
        return Answer(counts);
    }

    private static CoordinatorSnapshot RequireReady(CoordinatorSnapshot snapshot) => Activation.ActivationBudget.RequireReady(snapshot);

    private static void RequireRoom(CoordinatorSnapshot snapshot, string owner)
    {
        if (snapshot.Disks.Count >= MaxDisks)
            throw new CoordinatorException(CoordinatorError.CounterRefused, $"There are {MaxDisks} sealed disks, the most that are remembered.");
        if (snapshot.Disks.Keys.Count(key => key.StartsWith(owner, StringComparison.Ordinal)) >= MaxForOneOwner)
            throw new CoordinatorException(CoordinatorError.CounterRefused, $"This workload has {MaxForOneOwner} sealed disks, the most that are remembered for one.");
    }

    private static string RequireName(string name) => name.Length is > 0 and <= MaxNameBytes && Ascii.IsValid(name)
        ? name
        : throw new CoordinatorException(CoordinatorError.BadRequest, $"A disk's name has 1 to {MaxNameBytes} ASCII characters.");

    private static DiskRecord RecordOf(DiskStateMessage? message)
    {
        if (message is null || (message.Version == 0 && message.Digest.IsEmpty))
            return DiskRecord.None;
        return message.Version > 0 && message.Digest.Length == DigestBytes
            ? new DiskRecord(message.Version, Convert.ToHexStringLower(message.Digest.Span))
            : throw new CoordinatorException(CoordinatorError.BadRequest, $"A commit is a version from 1 and a digest of {DigestBytes} bytes.");
    }

    private static DiskResp Answer(DiskRecord record) =>
        new() { Counts = new DiskStateMessage { Version = record.Version, Digest = ByteString.CopyFrom(Convert.FromHexString(record.Digest)) } };

    /// <summary>As a counter's key, and without a UUID where the disk belongs to all workloads of the type together.</summary>
    internal static string OwnerOf(WorkloadIdentity workload, bool machine) =>
        $"{Base64(workload.Type)}:{(machine ? Convert.ToBase64String(workload.Uuid.ToByteArray(bigEndian: true)) : "")}:";

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
