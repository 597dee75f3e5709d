using System.Net.Http.Headers;

namespace Cloister.Client;

/// <summary>Requests to one server with a caller's token and bounds of time and size; what goes wrong becomes a <see cref="ClientException"/>.</summary>
internal sealed class ServerExchange : IDisposable
{
    private readonly HttpMessageInvoker _http;
    private readonly Uri _server;
    private readonly string? _token;
    private readonly ClientOptions _options;

    public ServerExchange(HttpMessageHandler handler, Uri server, string? bearerToken, ClientOptions? options)
    {
        ArgumentNullException.ThrowIfNull(handler);
        PinnedHttp.RequireHttps(server);
        (_http, _server, _token, _options) = (new HttpMessageInvoker(handler), server, bearerToken, options ?? new ClientOptions());
    }

    public TimeProvider Time => _options.Time;

    /// <summary>Asks and reads the whole answer.</summary>
    /// <param name="method">How.</param>
    /// <param name="path">Where, from the server's root.</param>
    /// <param name="body">What is sent.</param>
    /// <param name="mediaType">Of what type it is.</param>
    /// <param name="maxBytes">The largest answer.</param>
    /// <param name="what">What is asked for, within a sentence.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="ClientException">No success.</exception>
    public async Task<byte[]> SendAsync(HttpMethod method, string path, ReadOnlyMemory<byte>? body, string mediaType, int maxBytes, string what, CancellationToken cancellation)
    {
        using var timer = new CancellationTokenSource(_options.ConnectTimeout + _options.ExchangeTimeout, _options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timer.Token);
        using var request = new HttpRequestMessage(method, new Uri(_server, path));
        if (_token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _token);
        if (body is { } bytes)
        {
            request.Content = new ReadOnlyMemoryContent(bytes);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        }
        try
        {
            using HttpResponseMessage response = await _http.SendAsync(request, either.Token);
            byte[] answer = await BoundedBody.ReadAsync(response.Content, maxBytes, either.Token);
            if (response.IsSuccessStatusCode)
                return answer;
            (string? reason, int? number) = InferJson.ReadError(answer);
            throw new ClientException(ClientError.RefusedByServer, $"The server refused {what} with HTTP {(int)response.StatusCode}: {RestAnswer.Printable(reason ?? "it gave no reason")}")
            {
                HttpStatus = (int)response.StatusCode,
                ServerCode = number?.ToString(System.Globalization.CultureInfo.InvariantCulture),
            };
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new ClientException(ClientError.Timeout, $"{_server.Authority} did not answer {what} in time.", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new ClientException(ClientError.Unreachable, $"{_server.Authority} cannot be reached: {e.Message}", e);
        }
    }

    /// <summary>Closes its connections.</summary>
    public void Dispose() => _http.Dispose();
}
