using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Cloister.Serving;

/// <summary>Under which certificate a server is reached, and the evidence behind it.</summary>
public interface IServingIdentity
{
    /// <summary>Puts TLS on the listener. Client certificates must be asked for and passed on unjudged: callers are told apart by them.</summary>
    void UseTls(ListenOptions listen, TimeSpan handshakeTimeout);

    /// <summary>Whether the evidence is simulated and proves nothing against the host; null where there is no evidence.</summary>
    bool? Simulated => null;

    /// <summary>Adds the routes by which a client obtains evidence, if there is any.</summary>
    void MapEvidence(IEndpointRouteBuilder routes);
}
