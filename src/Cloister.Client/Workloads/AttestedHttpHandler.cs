using System.Net.Security;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography.X509Certificates;
using Cloister.Protocol.Manifest;

namespace Cloister.Client;

/// <summary>
/// Sends requests only over connections whose peer proved, with fresh evidence over this connection's TLS key, to be a
/// workload of the wanted type in the verified deployment. The evidence is fetched on the very connection that then
/// carries the request. A new certificate is verified anew; a standing connection is left when its evidence grows old.
/// No proxy, no redirect, no cookie. Give it to an <see cref="HttpClient"/>.
/// </summary>
public sealed class AttestedHttpHandler : HttpMessageHandler
{
    private readonly WorkloadVerifier _verifier;
    private readonly ClientOptions _options;
    private readonly X509Certificate2? _clientCertificate;
    private readonly VerifiedKeys _verified;
    private readonly HttpMessageInvoker _inner;
    private readonly ManifestDocument _manifest;
    private readonly string _workloadType;

    /// <summary>Creates the handler.</summary>
    /// <param name="deployment">The coordinator's verified deployment.</param>
    /// <param name="workloadType">The only type of workload that requests are sent to.</param>
    /// <param name="clientCertificate">The caller's certificate, where the manifest names callers by certificate; the caller keeps owning it.</param>
    /// <param name="options">Bounds and clock.</param>
    public AttestedHttpHandler(VerifiedDeployment deployment, string workloadType, X509Certificate2? clientCertificate = null, ClientOptions? options = null)
    {
        _options = options ?? new ClientOptions();
        _workloadType = workloadType;
        _verifier = new WorkloadVerifier(deployment, workloadType, _options);
        _manifest = deployment.Manifest!; // the verifier has refused a deployment without one
        _clientCertificate = clientCertificate;
        _verified = new VerifiedKeys(_options.EvidenceLifetime, _options.Time);
        _inner = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = _options.ConnectTimeout + _options.ExchangeTimeout,
            PooledConnectionLifetime = _options.EvidenceLifetime,
            MaxResponseHeadersLength = 64,
            ConnectCallback = ConnectAsync,
        });
    }

    /// <summary>Called after each peer that was verified with fresh evidence, with every check that was made.</summary>
    public Action<AttestedWorkload>? Verified { get; set; }

    /// <inheritdoc cref="ModeDemand.Require"/>
    internal void RequireMode(string model, string? wanted) => ModeDemand.Require(_manifest, _workloadType, model, wanted);

    /// <inheritdoc/>
    /// <exception cref="PeerRefusedException">The peer is not the workload that was asked for; nothing of the request was sent.</exception>
    /// <exception cref="ClientException">The peer cannot be reached or its evidence cannot be read; nothing of the request was sent.</exception>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        PinnedHttp.RequireHttps(request.RequestUri ?? throw new ArgumentException("The request has no address.", nameof(request)));
        try
        {
            return await _inner.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException e) when (e.InnerException is PeerRefusedException or ClientException)
        {
            ExceptionDispatchInfo.Throw(e.InnerException);
            throw;
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        SslStream connection = await WorkloadConnection.OpenAsync(context.DnsEndPoint, _clientCertificate, _options, cancellation);
        try
        {
            if (!_verified.Contains(connection.RemoteCertificate!))
            {
                AttestedWorkload attested = await _verifier.VerifyAsync(connection, context.DnsEndPoint, cancellation);
                _verified.Add(attested);
                Verified?.Invoke(attested);
            }
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _inner.Dispose();
        base.Dispose(disposing);
    }
}
