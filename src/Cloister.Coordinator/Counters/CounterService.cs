using System.Text;
using Cloister.Coordinator.Manifest;
using Cloister.Coordinator.State;
using Cloister.Protocol.Rest;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Counters;

/// <summary>Counters that a workload can only raise. A value is durable before it is answered.</summary>
internal sealed class CounterService(LiveState state, ILogger<CounterService> logger)
{
    internal const int MaxNameBytes = 1024, MaxForOneWorkload = 1000, MaxCounters = 100_000;

    /// <summary>Sets a workload's counter if the value is greater than what it holds, and returns what it held: 0 where there was none.</summary>
    /// <exception cref="CoordinatorException">WrongState, FeatureDisabled, CounterRefused.</exception>
    public async Task<ulong> RaiseAsync(WorkloadIdentity workload, string name, ulong value, CancellationToken cancellation)
    {
        if (Encoding.UTF8.GetByteCount(name) > MaxNameBytes)
            throw new CoordinatorException(CoordinatorError.CounterRefused, $"The counter's name has more than {MaxNameBytes} bytes.");
        string prefix = PrefixOf(workload), key = KeyOf(workload, name);
        ulong held = 0;
        await state.ChangeAsync(current =>
        {
            RequireReady(current);
            held = current.Counters.GetValueOrDefault(key);
            if (value <= held)
                return current;
            if (!current.Counters.ContainsKey(key))
                RequireRoom(current, prefix);
            return current with { Counters = current.Counters.SetItem(key, value) };
        }, cancellation);
        logger.CounterRaised(workload.Type, workload.Uuid, held, value);
        return held;
    }

    /// <summary>MarbleRun's key of a counter: type, UUID and name, each in base64, so that none can reach into the next.</summary>
    internal static string KeyOf(WorkloadIdentity workload, string name) => PrefixOf(workload) + Base64(name);

    /// <exception cref="CoordinatorException">FeatureDisabled, WrongState.</exception>
    internal static void RequireReady(CoordinatorSnapshot snapshot)
    {
        FeatureGate.Require(snapshot.Manifest?.Document, FeatureGate.MonotonicCounter);
        if (snapshot.State != CoordinatorState.AcceptingMarbles)
            throw new CoordinatorException(CoordinatorError.WrongState, "server is not in expected state");
    }

    private static void RequireRoom(CoordinatorSnapshot snapshot, string prefix)
    {
        if (snapshot.Counters.Count >= MaxCounters)
            throw new CoordinatorException(CoordinatorError.CounterRefused, $"There are {MaxCounters} counters, the most that are kept.");
        if (snapshot.Counters.Keys.Count(key => key.StartsWith(prefix, StringComparison.Ordinal)) >= MaxForOneWorkload)
            throw new CoordinatorException(CoordinatorError.CounterRefused, $"This workload has {MaxForOneWorkload} counters, the most that are kept for one.");
    }

    private static string PrefixOf(WorkloadIdentity workload) => $"{Base64(workload.Type)}:{Convert.ToBase64String(workload.Uuid.ToByteArray(bigEndian: true))}:";

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
