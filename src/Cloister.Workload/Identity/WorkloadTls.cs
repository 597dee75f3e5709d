using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Cloister.Workload;

/// <summary>Serves TLS under a workload's current certificate, so that a renewal takes effect without a restart.</summary>
public static class WorkloadTls
{
    private static readonly object s_certificateKey = new();

    /// <summary>Serves every new connection of this listener under the certificate that is current then.</summary>
    /// <param name="listen">Kestrel's listener.</param>
    /// <param name="identity">The workload.</param>
    /// <param name="askForClientCertificate">Asks callers for a certificate. It is not judged here: whoever authorises compares it with the manifest's callers.</param>
    /// <param name="handshakeTimeout">How long a caller may take for the handshake; ten seconds if null.</param>
    public static ListenOptions UseWorkloadCertificate(this ListenOptions listen, WorkloadIdentity identity, bool askForClientCertificate = false, TimeSpan? handshakeTimeout = null)
    {
        ArgumentNullException.ThrowIfNull(listen);
        ArgumentNullException.ThrowIfNull(identity);
        return listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            HandshakeTimeout = handshakeTimeout ?? TimeSpan.FromSeconds(10),
            OnConnection = context =>
            {
                WorkloadCertificate certificate = identity.Current;
                context.Connection.Items[s_certificateKey] = certificate;
                return ValueTask.FromResult(new SslServerAuthenticationOptions
                {
                    ServerCertificateContext = certificate.TlsContext,
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                    ClientCertificateRequired = askForClientCertificate,
                    RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is null or X509Certificate2,
                    CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                    // A resumed session would show the client the certificate of the first one, whose key evidence no longer names.
                    AllowTlsResume = false,
                });
            },
        });
    }

    /// <summary>The certificate that this request's connection was opened under, or null if the listener is not <see cref="UseWorkloadCertificate"/>'s.</summary>
    internal static WorkloadCertificate? ConnectionCertificate(HttpContext http) =>
        http.Features.Get<IConnectionItemsFeature>()?.Items.TryGetValue(s_certificateKey, out object? value) is true ? value as WorkloadCertificate : null;
}
