using System.Runtime.CompilerServices;
using Google.Protobuf.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Primitives;
using Status = Cloister.Protocol.Grpc.Health.HealthCheckResponse.Types.ServingStatus;

namespace Cloister.Protocol.Grpc.Health;

/// <summary>Serves <c>grpc.health.v1.Health</c> (grpc/doc/health-checking.md).</summary>
public static class GrpcHealthEndpoints
{
    /// <summary>The service's description, for reflection.</summary>
    public static FileDescriptor Descriptor => HealthReflection.Descriptor;

    /// <summary>
    /// Maps Check, List and Watch. Check answers <see cref="GrpcStatus.NotFound"/> for a service that there is not; Watch says that it is
    /// unknown, and goes on, for it may come. A watch ends with <see cref="GrpcStatus.Unavailable"/> when the server stops.
    /// </summary>
    public static IEndpointConventionBuilder MapGrpcHealth(this IEndpointRouteBuilder endpoints, IGrpcHealthSource source, GrpcServerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(source);
        RouteGroupBuilder group = endpoints.MapGroup("");
        group.MapGrpcUnary("/grpc.health.v1.Health/Check", HealthCheckRequest.Parser, (_, request, _) => Task.FromResult(Check(source, request.Service)), options);
        group.MapGrpcUnary("/grpc.health.v1.Health/List", HealthListRequest.Parser, (_, _, _) => Task.FromResult(List(source)), options);
        group.MapGrpcServerStreaming("/grpc.health.v1.Health/Watch", HealthCheckRequest.Parser, (context, request, cancellation) =>
            WatchAsync(source, request.Service, context.Http.RequestServices.GetService<IHostApplicationLifetime>()?.ApplicationStopping ?? default, cancellation), options);
        return group;
    }

    private static HealthCheckResponse Check(IGrpcHealthSource source, string service) => new()
    {
        Status = source.Find(service) is { } status ? (Status)status : throw new GrpcException(GrpcStatus.NotFound, "There is no service of this name here."),
    };

    private static HealthListResponse List(IGrpcHealthSource source)
    {
        var answer = new HealthListResponse();
        foreach ((string service, GrpcServingStatus status) in source.Services) answer.Statuses[service] = new HealthCheckResponse { Status = (Status)status };
        return answer;
    }

    private static async IAsyncEnumerable<HealthCheckResponse> WatchAsync(
        IGrpcHealthSource source, string service, CancellationToken stopping, [EnumeratorCancellation] CancellationToken cancellation)
    {
        Status? told = null;
        while (true)
        {
            IChangeToken changed = source.Changed();
            Status status = source.Find(service) is { } known ? (Status)known : Status.ServiceUnknown;
            if (status != told)
            {
                told = status;
                yield return new HealthCheckResponse { Status = status };
            }
            await ChangeAsync(changed, stopping, cancellation);
        }
    }

    private static async Task ChangeAsync(IChangeToken changed, CancellationToken stopping, CancellationToken cancellation)
    {
        var next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using IDisposable change = changed.RegisterChangeCallback(static next => ((TaskCompletionSource)next!).TrySetResult(), next);
        using CancellationTokenRegistration stop = stopping.UnsafeRegister(
            static next => ((TaskCompletionSource)next!).TrySetException(new GrpcException(GrpcStatus.Unavailable, "The server is stopping.")), next);
        using CancellationTokenRegistration end = cancellation.UnsafeRegister(static (next, token) => ((TaskCompletionSource)next!).TrySetCanceled(token), next);
        await next.Task;
    }
}
