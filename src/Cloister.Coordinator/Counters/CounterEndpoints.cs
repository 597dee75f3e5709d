using System.Text.Json;
using Cloister.Coordinator.Rest;
using Cloister.Coordinator.State;
using Cloister.Protocol.Rest;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Counters;

/// <summary>MarbleRun's monotonic counters.</summary>
internal static class CounterEndpoints
{
    public const string Path = "/api/v2/monotonic-counter";

    private const int MaxBody = 16 << 10;

    public static void MapCounters(this IEndpointRouteBuilder routes, CounterService counters, LiveState state, TimeProvider time, ILogger logger) =>
        routes.MapRest("POST", Path, RestSurface.V2, logger, async http =>
        {
            CoordinatorSnapshot snapshot = state.Current;
            CounterService.RequireReady(snapshot);
            WorkloadIdentity workload = WorkloadIdentity.Require(http.Connection.ClientCertificate, snapshot.Authority, time.GetUtcNow());
            MonotonicCounterRequest body = RestJson.Read(await RequestBody.ReadAsync(http, MaxBody, requireJson: false), MarbleRunJson.Lenient.MonotonicCounterRequest);
            ulong held = await counters.RaiseAsync(workload, body.Name ?? "", body.Value, http.RequestAborted);
            return JsonSerializer.SerializeToUtf8Bytes(JSend.Of(new MonotonicCounterResponse(held)), MarbleRunJson.Lenient.JSendMonotonicCounterResponse);
        });
}
