using System.Diagnostics;
using System.Net.Http.Headers;

namespace Cloister.Bench;

/// <summary>The same load for ours and the peer: clients on kept connections, each with one request at a time.</summary>
internal sealed class HttpLoad : IDisposable
{
    private readonly HttpClient _http;
    private readonly ServerProcess _server;
    private readonly byte[] _body;
    private readonly int _clients;
    private readonly int? _header;

    /// <param name="server">Whose CPU time is counted.</param>
    /// <param name="port">Where it listens.</param>
    /// <param name="tls">Whether it speaks TLS there.</param>
    /// <param name="body">What is sent to <c>/v2/models/model/infer</c>.</param>
    /// <param name="header">The length of the JSON that the body begins with; null if it is all JSON.</param>
    /// <param name="clients">How many.</param>
    public HttpLoad(ServerProcess server, int port, bool tls, byte[] body, int? header, int clients)
    {
        (_server, _body, _header, _clients) = (server, body, header, clients);
        var handler = new SocketsHttpHandler { MaxConnectionsPerServer = clients };
        // The load goes to a child process under a throw-away certificate; which one is of no interest here.
        handler.SslOptions.RemoteCertificateValidationCallback = (_, presented, _, _) => presented is not null;
        _http = new HttpClient(handler) { BaseAddress = new Uri($"{(tls ? "https" : "http")}://127.0.0.1:{port}") };
    }

    /// <summary>Sends for so long: until both sides' compilers have done their work.</summary>
    public async Task WarmUpAsync(TimeSpan duration, CancellationToken cancellation)
    {
        long end = Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        await Task.WhenAll(Enumerable.Range(0, _clients).Select(async _ =>
        {
            while (Stopwatch.GetTimestamp() < end) await SendAsync(cancellation);
        }));
    }

    /// <summary>Sends so many requests.</summary>
    public async Task<LoadFigures> RunAsync(int requests, CancellationToken cancellation)
    {
        var latencies = new double[requests / _clients * _clients];
        TimeSpan before = _server.CpuTime;
        long start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, _clients).Select(async client =>
        {
            for (int i = client; i < latencies.Length; i += _clients)
            {
                long sent = Stopwatch.GetTimestamp();
                await SendAsync(cancellation);
                latencies[i] = Stopwatch.GetElapsedTime(sent).TotalMilliseconds;
            }
        }));
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        TimeSpan cpu = _server.CpuTime - before;
        Array.Sort(latencies);
        return new LoadFigures(cpu.TotalMicroseconds / latencies.Length, latencies[(int)(latencies.Length * 0.99)], latencies.Length / seconds);
    }

    public void Dispose() => _http.Dispose();

    private async Task SendAsync(CancellationToken cancellation)
    {
        using var content = new ByteArrayContent(_body);
        content.Headers.ContentType = new MediaTypeHeaderValue(_header is null ? "application/json" : "application/octet-stream");
        if (_header is { } length) content.Headers.Add("Inference-Header-Content-Length", length.ToString(System.Globalization.CultureInfo.InvariantCulture));
        using HttpResponseMessage response = await _http.PostAsync("/v2/models/model/infer", content, cancellation);
        byte[] answer = await response.Content.ReadAsByteArrayAsync(cancellation);
        if (!response.IsSuccessStatusCode) throw new InvalidOperationException($"{(int)response.StatusCode}: {System.Text.Encoding.UTF8.GetString(answer)}");
    }
}

/// <summary>What one round of load cost.</summary>
/// <param name="CpuMicroseconds">The server's CPU time a request.</param>
/// <param name="P99Milliseconds">What 99 of 100 requests did not take longer than.</param>
/// <param name="Rate">Requests a second.</param>
internal readonly record struct LoadFigures(double CpuMicroseconds, double P99Milliseconds, double Rate);
