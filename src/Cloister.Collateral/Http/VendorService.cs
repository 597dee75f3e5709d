using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Cloister.Collateral;

/// <summary>GET requests to a vendor's service: paced, bounded in time and size, never redirected, without cookies or compression.</summary>
internal sealed class VendorService : IDisposable
{
    private static readonly TimeSpan ShortestBackoff = TimeSpan.FromSeconds(1), LongestHold = TimeSpan.FromDays(1);

    private readonly HttpClient _client;
    private readonly CollateralServiceOptions _options;
    private readonly RequestPace _pace;
    private readonly TimeSpan _backoff;

    /// <summary>Makes it.</summary>
    /// <param name="options">The caller's.</param>
    /// <param name="address">The vendor's own address.</param>
    /// <param name="pace">The vendor's own pace.</param>
    /// <exception cref="ArgumentException">An option cannot be.</exception>
    public VendorService(CollateralServiceOptions options, Uri address, TimeSpan pace)
    {
        if (options.Timeout <= TimeSpan.Zero || options.Patience < TimeSpan.Zero || options.Pace < TimeSpan.Zero || options.Attempts < 1) throw new ArgumentException("Timeout and attempts are above zero, pace and patience not below.", nameof(options));
        _options = options;
        Address = Secure(options.Address ?? address);
        TimeSpan interval = options.Pace ?? pace;
        _pace = new RequestPace(interval, options.Patience, options.Time);
        _backoff = interval > ShortestBackoff ? interval : ShortestBackoff;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            MaxResponseHeadersLength = 64,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        };
        if (options.TlsRoots is { } roots)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.AddRange(roots);
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        }
        _client = new HttpClient(handler) { Timeout = System.Threading.Timeout.InfiniteTimeSpan };
    }

    /// <summary>Where it is, with a slash at the end.</summary>
    public Uri Address { get; }

    /// <summary>The clock.</summary>
    public TimeProvider Time => _options.Time;

    /// <summary>An address that may be asked, with a slash at the end of its path if it is a folder.</summary>
    /// <exception cref="ArgumentException">It is not <c>https</c>, nor <c>http</c> on this machine.</exception>
    public static Uri Secure(Uri address, bool isFolder = true)
    {
        bool secure = address.IsAbsoluteUri && (address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp && address.IsLoopback);
        if (!secure) throw new ArgumentException($"{address} is not https: collateral is fetched over TLS, but for a service on this machine.", nameof(address));
        if (address.UserInfo.Length > 0 || address.Query.Length > 0 || address.Fragment.Length > 0) throw new ArgumentException("An address has no user, query or fragment.", nameof(address));
        return isFolder && !address.AbsolutePath.EndsWith('/') ? new Uri(address.AbsoluteUri + "/") : address;
    }

    /// <summary>Gets a document.</summary>
    /// <param name="address">What.</param>
    /// <param name="maximumSize">Most bytes of its body.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="CollateralException">It is not to be had.</exception>
    public async Task<VendorAnswer> GetAsync(Uri address, int maximumSize, CancellationToken cancellation)
    {
        for (int attempt = 1; ; attempt++)
        {
            await _pace.TurnAsync(address, cancellation);
            using var timeout = new CancellationTokenSource(_options.Timeout, _options.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
            try
            {
                using HttpResponseMessage response = await _client.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, either.Token);
                if (response.StatusCode == HttpStatusCode.OK) return new VendorAnswer(await BodyAsync(response, address, maximumSize, either.Token), response.Headers);
                CollateralException failure = Failure(response, address, attempt);
                if (failure.Error == CollateralError.NotFound || !IsPassing(response.StatusCode) || attempt >= _options.Attempts) throw failure;
                _pace.Hold(HoldOf(response, attempt));
            }
            catch (OperationCanceledException cancelled) when (!cancellation.IsCancellationRequested)
            {
                throw new CollateralException(CollateralError.TimedOut, $"{address} took longer than {_options.Timeout.TotalSeconds:0.###} s: try again, or allow more time.", cancelled);
            }
            catch (Exception broken) when (broken is HttpRequestException or IOException)
            {
                throw new CollateralException(CollateralError.Unreachable, $"{address} cannot be reached, or the connection broke: {broken.Message} Check the network, or keep its collateral in a folder.", broken);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private static async Task<byte[]> BodyAsync(HttpResponseMessage response, Uri address, int maximumSize, CancellationToken cancellation)
    {
        if (response.Content.Headers.ContentEncoding.Count > 0) throw new CollateralException(CollateralError.Malformed, $"{address} came compressed, which nobody asked for.");
        if (response.Content.Headers.ContentLength > maximumSize) throw TooLarge(address, maximumSize);
        using Stream body = await response.Content.ReadAsStreamAsync(cancellation);
        using var whole = new MemoryStream();
        var part = new byte[8 * 1024];
        for (int read; (read = await body.ReadAsync(part, cancellation)) > 0;)
        {
            if (whole.Length + read > maximumSize) throw TooLarge(address, maximumSize);
            whole.Write(part, 0, read);
        }
        return whole.ToArray();
    }

    private static CollateralException TooLarge(Uri address, int maximumSize) =>
        new(CollateralError.TooLarge, $"{address} is larger than {maximumSize} bytes, the most that anything of its kind has: is this the right service?");

    private static CollateralException Failure(HttpResponseMessage response, Uri address, int attempt) => response.StatusCode switch
    {
        HttpStatusCode.NotFound or HttpStatusCode.Gone => new(CollateralError.NotFound, $"{address}: the service has none ({(int)response.StatusCode}). Is the platform's evidence genuine, and the service the right one?"),
        HttpStatusCode.TooManyRequests => new(CollateralError.RateLimited, $"{address}: too many requests, {attempt} attempts. Try again later, or keep its collateral in a folder."),
        >= HttpStatusCode.MultipleChoices and < HttpStatusCode.BadRequest => new(CollateralError.ServiceFailed, $"{address}: the service points elsewhere ({(int)response.StatusCode}), which is not followed. Set its new address if you trust it."),
        _ => new(CollateralError.ServiceFailed, $"{address}: the service answered {(int)response.StatusCode}, {attempt} attempts."),
    };

    private static bool IsPassing(HttpStatusCode status) => status is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;

    /// <summary>As long as the service says, or twice as long each time.</summary>
    private TimeSpan HoldOf(HttpResponseMessage response, int attempt)
    {
        RetryConditionHeaderValue? asked = response.Headers.RetryAfter;
        TimeSpan? hold = asked?.Delta ?? asked?.Date - _options.Time.GetUtcNow();
        TimeSpan backoff = _backoff * Math.Pow(2, Math.Min(attempt - 1, 10));
        return hold is not { } given ? backoff : given < TimeSpan.Zero ? TimeSpan.Zero : given > LongestHold ? LongestHold : given;
    }
}

/// <summary>What a service answered.</summary>
/// <param name="Body">At most as large as asked for.</param>
/// <param name="Headers">The answer's own headers.</param>
internal readonly record struct VendorAnswer(byte[] Body, HttpResponseHeaders Headers);
