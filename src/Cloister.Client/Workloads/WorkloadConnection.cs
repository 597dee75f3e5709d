using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Cloister.Client;

/// <summary>Opens a TLS connection to whoever answers. Who that is, evidence must show before anything else is sent over it.</summary>
internal static class WorkloadConnection
{
    /// <summary>Connects and shakes hands, HTTP/1.1 only; the server's name is sent, its certificate is not judged.</summary>
    /// <exception cref="ClientException"><see cref="ClientError.Unreachable"/> or <see cref="ClientError.Timeout"/>.</exception>
    public static async Task<SslStream> OpenAsync(DnsEndPoint server, X509Certificate2? clientCertificate, ClientOptions options, CancellationToken cancellation)
    {
        using var timer = new CancellationTokenSource(options.ConnectTimeout, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timer.Token);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        SslStream? tls = null;
        try
        {
            await socket.ConnectAsync(server, either.Token);
            tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
            await tls.AuthenticateAsClientAsync(TlsOptions(server.Host, clientCertificate), either.Token);
            return tls;
        }
        catch (Exception e)
        {
            if (tls is not null)
                await tls.DisposeAsync();
            socket.Dispose();
            if (e is OperationCanceledException && !cancellation.IsCancellationRequested)
                throw new ClientException(ClientError.Timeout, $"{server.Host}:{server.Port} did not answer within {options.ConnectTimeout.TotalSeconds:0.#} s.", e);
            if (e is SocketException or IOException or AuthenticationException)
                throw new ClientException(ClientError.Unreachable, $"{server.Host}:{server.Port} cannot be reached over TLS: {e.Message}", e);
            throw;
        }
    }

    private static SslClientAuthenticationOptions TlsOptions(string host, X509Certificate2? clientCertificate)
    {
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = host,
            ApplicationProtocols = [SslApplicationProtocol.Http11],
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is X509Certificate2,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            AllowTlsResume = false,
        };
        if (clientCertificate is not null)
            options.ClientCertificateContext = SslStreamCertificateContext.Create(clientCertificate, null, offline: true);
        return options;
    }
}
