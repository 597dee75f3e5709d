using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Cloister.Client;

/// <summary>
/// HTTPS to one server that is known by its TLS key: the given one, or else the first that shows up, and only that one
/// from then on. No proxy, no redirect, no cookie; answers are bounded before they are read.
/// </summary>
internal sealed class PinnedHttp : IDisposable
{
    private readonly HttpMessageInvoker _http;
    private readonly ClientOptions _options;
    private readonly Uri _server;
    private byte[]? _key;
    private byte[]? _strangerKey;

    public PinnedHttp(Uri server, ClientOptions options, ReadOnlyMemory<byte>? key = null, X509Certificate2? clientCertificate = null)
    {
        RequireHttps(server);
        (_server, _options, _key) = (server, options, key?.ToArray());
        var tls = new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = (_, certificate, _, _) => Pin(certificate),
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            AllowTlsResume = false,
        };
        if (clientCertificate is not null)
            tls.ClientCertificateContext = SslStreamCertificateContext.Create(clientCertificate, null, offline: true);
        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = options.ConnectTimeout,
            MaxResponseHeadersLength = 64,
            ActivityHeadersPropagator = null,
            SslOptions = tls,
        });
    }

    /// <summary>The server's key, DER SubjectPublicKeyInfo; known after the first exchange.</summary>
    public ReadOnlyMemory<byte> PeerKey => _key ?? throw new InvalidOperationException("No connection was made yet.");

    public Task<HttpAnswer> GetAsync(string pathAndQuery, int maxBytes, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Get, pathAndQuery, null, maxBytes, cancellation);

    public Task<HttpAnswer> PostAsync(string path, ReadOnlyMemory<byte> json, int maxBytes, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Post, path, json, maxBytes, cancellation);

    /// <exception cref="ArgumentException">The address is not https.</exception>
    internal static void RequireHttps(Uri server)
    {
        ArgumentNullException.ThrowIfNull(server);
        if (!server.IsAbsoluteUri || server.Scheme != Uri.UriSchemeHttps)
            throw new ArgumentException($"'{server}' is not an https address such as https://localhost:4433.", nameof(server));
    }

    private async Task<HttpAnswer> SendAsync(HttpMethod method, string pathAndQuery, ReadOnlyMemory<byte>? json, int maxBytes, CancellationToken cancellation)
    {
        using var timer = new CancellationTokenSource(_options.ExchangeTimeout, _options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timer.Token);
        using var request = new HttpRequestMessage(method, new Uri(_server, pathAndQuery));
        if (json is { } body)
        {
            request.Content = new ReadOnlyMemoryContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }
        try
        {
            using HttpResponseMessage response = await _http.SendAsync(request, either.Token);
            byte[] bytes = await BoundedBody.ReadAsync(response.Content, maxBytes, either.Token);
            return new HttpAnswer((int)response.StatusCode, bytes);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new ClientException(ClientError.Timeout, $"{_server.Authority} did not answer within {_options.ExchangeTimeout.TotalSeconds:0.#} s.", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            if (_strangerKey is not null)
            {
                throw new ClientException(ClientError.PeerKeyChanged,
                    $"{_server.Authority} presented another TLS key than the one that was verified: another coordinator, a restart with new keys, or a man in the middle. Verify it again.", e);
            }
            throw new ClientException(ClientError.Unreachable, $"{_server.Authority} cannot be reached: {e.Message}", e);
        }
    }

    private bool Pin(X509Certificate? certificate)
    {
        if (certificate is not X509Certificate2 peer)
            return false;
        byte[] key = peer.PublicKey.ExportSubjectPublicKeyInfo();
        if ((Interlocked.CompareExchange(ref _key, key, null) ?? key).AsSpan().SequenceEqual(key))
            return true;
        _strangerKey = key;
        return false;
    }

    public void Dispose() => _http.Dispose();
}

/// <summary>A whole answer, bounded and not yet believed.</summary>
internal readonly record struct HttpAnswer(int Status, byte[] Body)
{
    public bool Succeeded => Status is >= 200 and < 300;
}
