using Cloister.Workload;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Cloister.Serving;

/// <summary>The certificate and evidence of an activated workload: each new connection gets the certificate that is current then.</summary>
internal sealed class ActivatedIdentity(WorkloadIdentity identity) : IServingIdentity
{
    public void UseTls(ListenOptions listen, TimeSpan handshakeTimeout) => listen.UseWorkloadCertificate(identity, askForClientCertificate: true, handshakeTimeout);

    public bool? Simulated => identity.Simulated;

    public void MapEvidence(IEndpointRouteBuilder routes) => routes.MapWorkloadEvidence(identity);
}
