using Cloister.Coordinator.Activation;
using Cloister.Coordinator.State;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Cloister.Coordinator.Counters;

/// <summary>The method <c>Disk</c> on the mesh port, for workloads alone: who asks is read out of the connection's certificate.</summary>
internal static class DiskEndpoints
{
    private static readonly GrpcServerOptions s_bounds = new() { MaxRequestBytes = 4 << 10, MaxDuration = TimeSpan.FromSeconds(30) };

    public static void MapDisks(this IEndpointRouteBuilder routes, DiskService disks, LiveState state, TimeProvider time, ILogger logger) =>
        routes.MapGrpcUnary(MarbleService.DiskPath, DiskReq.Parser, (call, request, cancellation) => ActivationEndpoints.GuardAsync(() =>
        {
            WorkloadIdentity workload = WorkloadIdentity.Require(call.ClientCertificate, state.Current.Authority, time.GetUtcNow());
            return disks.AnswerAsync(workload, request, cancellation);
        }, logger), s_bounds);
}
