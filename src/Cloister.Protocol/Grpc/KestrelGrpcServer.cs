using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cloister.Protocol.Grpc;

/// <summary>gRPC framed by hand over Kestrel's HTTP/2.</summary>
internal sealed class KestrelGrpcServer : IGrpcServer
{
    public static KestrelGrpcServer Instance { get; } = new();

    public IEndpointConventionBuilder Map(IEndpointRouteBuilder endpoints, GrpcMethod method)
    {
        RequestDelegate serve = method.Kind == GrpcMethodKind.Unary ? new GrpcUnaryCall(method).ServeAsync : new GrpcStreamCall(method).ServeAsync;
        return endpoints.MapPost(method.Path, serve);
    }
}
