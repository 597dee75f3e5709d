using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Cloister.Bench;

/// <summary>Clients of every kind, good and bad. Each sends one request at a time and says what became of it.</summary>
internal sealed class SoakClients : IDisposable
{
    private const string Endless = """{"inputs":[{"name":"rounds","shape":[],"datatype":"INT64","data":[9223372036854775807]},{"name":"x","shape":[1],"datatype":"FP32","data":[0]}]}""";

    private readonly SoakTally _tally;
    private readonly int _tlsPort;
    private readonly HttpClient _http, _grpc;
    private readonly byte[] _netJson = InferBodies.Json("image", [1, 3, 32, 32]);
    private readonly (byte[] Body, int Header) _netBinary = InferBodies.Binary("image", [1, 3, 32, 32]);

    public SoakClients(ServerProcess server, SoakTally tally)
    {
        (_tally, _tlsPort) = (tally, server.Ports[0]);
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, presented, _, _) => presented is not null;
        _http = new HttpClient(handler) { BaseAddress = new Uri($"https://127.0.0.1:{server.Ports[0]}"), Timeout = TimeSpan.FromSeconds(120) };
        _grpc = new HttpClient
        {
            BaseAddress = new Uri($"http://127.0.0.1:{server.Ports[2]}"), DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact, Timeout = TimeSpan.FromSeconds(120),
        };
    }

    /// <summary>Every kind of client, and how many of each there are.</summary>
    public IEnumerable<(string Kind, int Count, Func<Random, CancellationToken, Task<string>> Send)> Kinds() =>
    [
        ("half, OIP", 6, HalfAsync), ("half, TF", 3, HalfTensorFlowAsync), ("net, JSON", 3, (_, stop) => NetAsync(_netJson, null, stop)),
        ("net, binary", 6, (_, stop) => NetAsync(_netBinary.Body, _netBinary.Header, stop)), ("net, gRPC", 3, GrpcAsync), ("loop, left", 2, LeaveAsync), ("loop, late", 2, LateAsync),
        ("malformed", 2, MalformedAsync), ("slow", 2, SlowAsync), ("half-closed", 2, HalfClosedAsync), ("torn", 2, TornAsync),
    ];

    /// <summary>Sends until the time is over. Whatever a kind does not expect is a loss.</summary>
    public async Task RunAsync(string kind, int seed, Func<Random, CancellationToken, Task<string>> send, CancellationToken stop)
    {
        var random = new Random(seed);
        while (!stop.IsCancellationRequested)
        {
            _tally.Send();
            try
            {
                // A request that has begun is seen through to its end.
                _tally.End($"{kind}: {await send(random, CancellationToken.None)}");
            }
#pragma warning disable CA1031 // Whatever it is, the request is lost, and that is what is counted.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                _tally.Lose(kind, $"{failure.GetType().Name}: {failure.Message}");
                await Task.Delay(50, CancellationToken.None);
            }
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _grpc.Dispose();
    }

    private async Task<string> HalfAsync(Random random, CancellationToken cancellation)
    {
        int[] values = Values(random);
        string body = $$"""{"inputs":[{"name":"x","shape":[{{values.Length}}],"datatype":"FP32","data":[{{string.Join(',', values)}}]}]}""";
        (HttpStatusCode status, string answer) = await PostAsync("/v2/models/half/infer", body, cancellation);
        return Judge(status, answer, $"\"data\":[{string.Join(',', values.Select(value => value / 2 + 2))}]");
    }

    private async Task<string> HalfTensorFlowAsync(Random random, CancellationToken cancellation)
    {
        int[] values = Values(random);
        (HttpStatusCode status, string answer) = await PostAsync("/v1/models/half:predict", $$"""{"instances":[{{string.Join(',', values)}}]}""", cancellation);
        return Judge(status, answer, string.Join(", ", values.Select(value => (value / 2 + 2).ToString("0.0", CultureInfo.InvariantCulture))));
    }

    private async Task<string> NetAsync(byte[] body, int? header, CancellationToken cancellation)
    {
        using var content = new ByteArrayContent(body);
        if (header is { } length) content.Headers.Add("Inference-Header-Content-Length", length.ToString(CultureInfo.InvariantCulture));
        using HttpResponseMessage response = await _http.PostAsync("/v2/models/net/infer", content, cancellation);
        await response.Content.ReadAsByteArrayAsync(cancellation);
        if (response.StatusCode == HttpStatusCode.ServiceUnavailable && response.Headers.RetryAfter is null) throw new InvalidOperationException("503 without Retry-After");
        return Judge(response.StatusCode, "", "");
    }

    private async Task<string> GrpcAsync(Random random, CancellationToken cancellation)
    {
        byte[] body = InferBodies.Grpc("image", [1, 3, 32, 32], "net");
        using var request = new HttpRequestMessage(HttpMethod.Post, GrpcLoad.Path) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        using HttpResponseMessage response = await _grpc.SendAsync(request, cancellation);
        await response.Content.ReadAsByteArrayAsync(cancellation);
        string status = response.TrailingHeaders.TryGetValues("grpc-status", out IEnumerable<string>? values) || response.Headers.TryGetValues("grpc-status", out values) ? values.First() : "none";
        return status switch { "0" => "answered", "8" => "refused: overloaded", _ => throw new InvalidOperationException($"grpc-status {status}") };
    }

    private async Task<string> LeaveAsync(Random random, CancellationToken cancellation)
    {
        using var leave = new CancellationTokenSource(random.Next(1, 100));
        try
        {
            (HttpStatusCode status, _) = await PostAsync("/v2/models/loop/infer", Endless, leave.Token);
            return status == HttpStatusCode.ServiceUnavailable ? "refused: overloaded" : throw new InvalidOperationException($"{(int)status} where nothing can end");
        }
        catch (OperationCanceledException) when (leave.IsCancellationRequested)
        {
            return "left by its client";
        }
    }

    private async Task<string> LateAsync(Random random, CancellationToken cancellation)
    {
        (HttpStatusCode status, string answer) = await PostAsync("/v2/models/loop/infer", Endless.Insert(1, $"\"parameters\":{{\"timeout\":{random.Next(1_000, 50_000)}}},"), cancellation);
        return status switch
        {
            HttpStatusCode.GatewayTimeout => "refused: deadline",
            HttpStatusCode.ServiceUnavailable => "refused: overloaded",
            _ => throw new InvalidOperationException($"{(int)status}: {answer}"),
        };
    }

    private async Task<string> MalformedAsync(Random random, CancellationToken cancellation)
    {
        byte[] body = [.. _netJson.AsSpan(0, random.Next(1, 2_000))];
        for (int i = random.Next(1, 4); i > 0; i--) body[random.Next(body.Length)] = (byte)random.Next(256);
        (HttpStatusCode status, string answer) = await PostAsync(random.Next(2) == 0 ? "/v2/models/net/infer" : "/v1/models/net:predict", Encoding.Latin1.GetString(body), cancellation);
        return status switch
        {
            HttpStatusCode.BadRequest => "refused: malformed",
            HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests => "refused: overloaded",
            _ => throw new InvalidOperationException($"{(int)status}: {answer}"),
        };
    }

    /// <summary>Announces more than it sends, and waits.</summary>
    private async Task<string> SlowAsync(Random random, CancellationToken cancellation)
    {
        await using SslStream connection = await ConnectAsync(cancellation);
        await connection.WriteAsync("POST /v2/models/half/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n{\"inputs\":["u8.ToArray(), cancellation);
        string answer = await ReadAsync(connection, cancellation);
        return answer.StartsWith("HTTP/1.1 408 ", StringComparison.Ordinal) ? "refused: too slow" : answer.Length == 0 ? "cut off: too slow" : throw new InvalidOperationException(answer);
    }

    /// <summary>Closes its side behind the request and still gets the answer.</summary>
    private async Task<string> HalfClosedAsync(Random random, CancellationToken cancellation)
    {
        await using SslStream connection = await ConnectAsync(cancellation);
        string body = """{"instances":[2]}""";
        await connection.WriteAsync(Encoding.ASCII.GetBytes($"POST /v1/models/half:predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n{body}"), cancellation);
        if (random.Next(2) == 0) await connection.ShutdownAsync();
        string answer = await ReadAsync(connection, cancellation);
        // A closed side may also be taken for a client that went away: then there is no answer at all, never half of one.
        return answer.Length == 0 ? "left by its client" : Judge(answer.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal) ? HttpStatusCode.OK : answer.StartsWith("HTTP/1.1 429 ", StringComparison.Ordinal) ? HttpStatusCode.TooManyRequests : 0, answer, "3.0");
    }

    /// <summary>Breaks off in the middle of its body.</summary>
    private async Task<string> TornAsync(Random random, CancellationToken cancellation)
    {
        await using SslStream connection = await ConnectAsync(cancellation);
        byte[] body = _netJson;
        await connection.WriteAsync(Encoding.ASCII.GetBytes($"POST /v2/models/net/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: {body.Length}\r\n\r\n"), cancellation);
        await connection.WriteAsync(body.AsMemory(0, random.Next(body.Length)), cancellation);
        return "left by its client";
    }

    private static int[] Values(Random random) => [.. Enumerable.Range(0, random.Next(1, 60)).Select(_ => random.Next(1000) * 2)];

    private static string Judge(HttpStatusCode status, string answer, string expected) => status switch
    {
        HttpStatusCode.OK when answer.Contains(expected, StringComparison.Ordinal) => "answered",
        HttpStatusCode.OK => throw new InvalidOperationException($"a wrong answer: {answer[..Math.Min(200, answer.Length)]}"),
        HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests => "refused: overloaded",
        _ => throw new InvalidOperationException($"{(int)status}: {answer[..Math.Min(200, answer.Length)]}"),
    };

    private async Task<(HttpStatusCode, string)> PostAsync(string path, string body, CancellationToken cancellation)
    {
        using var content = new ByteArrayContent(Encoding.Latin1.GetBytes(body));
        using HttpResponseMessage response = await _http.PostAsync(path, content, cancellation);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(cancellation));
    }

    private async Task<SslStream> ConnectAsync(CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, _tlsPort), cancellation);
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true), false, (_, presented, _, _) => presented is not null);
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }, cancellation);
        return stream;
    }

    private static async Task<string> ReadAsync(SslStream connection, CancellationToken cancellation)
    {
        using var reader = new StreamReader(connection, Encoding.ASCII, leaveOpen: true);
        try
        {
            return await reader.ReadToEndAsync(cancellation);
        }
        catch (IOException)
        {
            return ""; // cut off
        }
    }
}
