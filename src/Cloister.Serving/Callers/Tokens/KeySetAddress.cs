using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using Cloister.Protocol.Tokens;

namespace Cloister.Serving.Callers.Tokens;

/// <summary>
/// Fetches a JWK set over TLS whose certificate chains to the one root that the manifest names: the machine's own trust store, proxies,
/// cookies and redirects have no say. An answer is bounded in size and time.
/// </summary>
internal sealed class KeySetAddress : IDisposable
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(10);

    private readonly Uri _address;
    private readonly X509Certificate2 _root;
    private readonly HttpClient _client;

    public KeySetAddress(Uri address, ReadOnlyMemory<byte> root)
    {
        _address = address;
        _root = X509CertificateLoader.LoadCertificate(root.Span);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = s_timeout,
            MaxResponseHeadersLength = 16,
            // Each fetch looks the address up and shakes hands anew.
            PooledConnectionLifetime = TimeSpan.Zero,
        };
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { _root },
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        _client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Fetches the set.</summary>
    /// <exception cref="IOException">The address did not answer in time, or with anything but a JWK set.</exception>
    public async Task<JsonWebKeySet> FetchAsync(TimeProvider time, CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(s_timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, _address);
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/jwk-set+json"));
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            using HttpResponseMessage response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            if (response.StatusCode != HttpStatusCode.OK) throw new IOException($"it answered {(int)response.StatusCode}");
            byte[] json = await ReadAsync(response, either.Token);
            return JsonWebKeySet.TryRead(json, out JsonWebKeySet? set, out string reason) ? set : throw new IOException($"its answer {reason}");
        }
        catch (HttpRequestException error)
        {
            throw new IOException(error.InnerException?.Message ?? error.Message, error);
        }
        catch (OperationCanceledException error) when (!cancellation.IsCancellationRequested)
        {
            throw new IOException($"it did not answer within {s_timeout.TotalSeconds:0} s", error);
        }
    }

    private static async Task<byte[]> ReadAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        byte[] room = new byte[JsonWebKeySet.MaxBytes + 1];
        await using Stream body = await response.Content.ReadAsStreamAsync(cancellation);
        int read = await body.ReadAtLeastAsync(room, room.Length, throwOnEndOfStream: false, cancellation);
        return read < room.Length ? room[..read] : throw new IOException($"its answer is larger than {JsonWebKeySet.MaxBytes} bytes");
    }

    public void Dispose()
    {
        _client.Dispose();
        _root.Dispose();
    }
}
