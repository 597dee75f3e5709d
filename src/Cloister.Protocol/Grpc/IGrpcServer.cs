using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Cloister.Protocol.Grpc;

/// <summary>
/// Serves methods: the one seam at which another implementation (Grpc.AspNetCore, say) takes the place of the one here.
/// Register it as a service of the application; every <c>MapGrpc...</c> then goes through it.
/// </summary>
public interface IGrpcServer
{
    /// <summary>Serves one method at its path.</summary>
    IEndpointConventionBuilder Map(IEndpointRouteBuilder endpoints, GrpcMethod method);
}
