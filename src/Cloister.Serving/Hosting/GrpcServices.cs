using Cloister.Protocol.Grpc;
using Cloister.Protocol.Grpc.Health;
using Cloister.Protocol.Grpc.Reflection;
using Cloister.Serving.OpenInference.Grpc.Wire;
using Cloister.Serving.Repository;
using Cloister.Serving.TensorFlow.Grpc;
using Google.Protobuf.Reflection;
using Microsoft.AspNetCore.Routing;

namespace Cloister.Serving;

/// <summary>What every gRPC surface has in common: bounds of the methods, health, reflection, and an answer to methods that there are not.</summary>
internal static class GrpcServices
{
    /// <summary>The services that are described to tools.</summary>
    private static readonly FileDescriptor[] s_described = [InferenceReflection.Descriptor, TensorFlowGrpcSurface.Descriptor, GrpcHealthEndpoints.Descriptor];

    /// <summary>Bounds of the surfaces' methods.</summary>
    public static GrpcServerOptions Bounds(InferenceOptions options, TimeProvider time) =>
        new() { MaxRequestBytes = (int)Math.Min(options.MaximumRequestBytes, Array.MaxLength), Clock = time };

    /// <summary>Maps them. Health is as open as the REST surfaces' readiness, and what is described is public.</summary>
    public static void Map(IEndpointRouteBuilder routes, ModelRepository repository, TimeProvider time)
    {
        var small = new GrpcServerOptions { MaxRequestBytes = 64 << 10, Clock = time };
        routes.MapGrpcHealth(new RepositoryHealth(repository, time), small);
        routes.MapGrpcReflection(s_described, small);
        routes.MapGrpcUnimplemented();
    }
}
