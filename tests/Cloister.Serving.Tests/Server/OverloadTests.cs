using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Cloister.Serving.Tests.Server;

/// <summary>Real runs that do not end by themselves, slow clients, full queues.</summary>
public sealed class OverloadTests
{
    private const string Endless = """{"inputs":[{"name":"rounds","shape":[],"datatype":"INT64","data":[9223372036854775807]},{"name":"x","shape":[1],"datatype":"FP32","data":[0]}]}""";
    private const string Short = """{"inputs":[{"name":"rounds","shape":[],"datatype":"INT64","data":[3]},{"name":"x","shape":[1],"datatype":"FP32","data":[0]}]}""";

    [Fact]
    public async Task A_deadline_stops_a_run_in_the_middle()
    {
        await using TestServer server = await LoopAsync("{}");
        string timed = Endless.Insert(1, "\"parameters\":{\"timeout\":20000},");
        Assert.Equal((HttpStatusCode.GatewayTimeout, """{"error":"The prediction did not end before its deadline; ask for more time, or send less at once."}"""), await server.PostAsync("/v2/models/loop/infer", timed));
        Assert.Equal(HttpStatusCode.OK, (await server.PostAsync("/v2/models/loop/infer", Short)).Status);
    }

    [Fact]
    public async Task The_configuration_s_deadline_holds_on_every_surface()
    {
        await using TestServer server = await LoopAsync("""{"timeoutMilliseconds":20}""");
        Assert.Equal(HttpStatusCode.GatewayTimeout, (await server.PostAsync("/v2/models/loop/infer", Endless)).Status);
        Assert.Equal(HttpStatusCode.GatewayTimeout, (await server.PostAsync("/v1/models/loop:predict", """{"inputs":{"rounds":9223372036854775807,"x":[0]}}""")).Status);
        Assert.Equal((HttpStatusCode.OK, "{\n    \"outputs\": [\n        3.0\n    ]\n}"), await server.PostAsync("/v1/models/loop:predict", """{"inputs":{"rounds":3,"x":[0]}}"""));
    }

    [Fact]
    public async Task A_full_queue_refuses_early_and_a_caller_who_leaves_makes_room()
    {
        await using TestServer server = await LoopAsync("""{"queueLimit":1}""", options => options with { Executor = new ExecutorOptions { Threads = 1 } });
        using var leave = new CancellationTokenSource();
        Task<HttpResponseMessage> Fill() => server.Client.PostAsync("/v2/models/loop/infer", new StringContent(Endless), leave.Token);
        Task<HttpResponseMessage>[] fillers = [Fill(), Fill()];
        // Once one runs and one waits, a third is refused. Before that the third is one of the two and is given up; a filler
        // that came while the other still waited was refused itself and is sent again.
        HttpStatusCode status;
        string? retry;
        while (true)
        {
            using var impatient = new StringContent(Endless.Insert(1, "\"parameters\":{\"timeout\":100000},"));
            using HttpResponseMessage response = await server.Client.PostAsync("/v2/models/loop/infer", impatient);
            (status, retry) = (response.StatusCode, response.Headers.RetryAfter?.ToString());
            if (status != HttpStatusCode.GatewayTimeout && !fillers.Any(filler => filler.IsCompleted)) break;
            for (int i = 0; i < fillers.Length; i++)
                if (fillers[i].IsCompleted) fillers[i] = Fill();
        }
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.InRange(int.Parse(retry!, System.Globalization.CultureInfo.InvariantCulture), 1, 60);
        // The run before may have been an impatient one that was ending: until the second filler is there, the body is read and found bad.
        while (true)
        {
            using HttpResponseMessage other = await server.Client.PostAsync("/v1/models/loop:predict", new StringContent("not even JSON"));
            if (other.StatusCode == HttpStatusCode.BadRequest || fillers.Any(filler => filler.IsCompleted))
            {
                for (int i = 0; i < fillers.Length; i++)
                    if (fillers[i].IsCompleted) fillers[i] = Fill();
                continue;
            }
            Assert.Equal(HttpStatusCode.TooManyRequests, other.StatusCode);
            Assert.NotNull(other.Headers.RetryAfter);
            break;
        }
        await leave.CancelAsync();
        foreach (Task filler in fillers) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => filler);
        (HttpStatusCode Status, string Body) answer;
        do answer = await server.PostAsync("/v2/models/loop/infer", Short);
        while (answer.Status == HttpStatusCode.ServiceUnavailable);
        Assert.True(answer.Status == HttpStatusCode.OK, answer.Body);
    }

    [Fact]
    public async Task Many_requests_at_once_get_each_its_own_answer()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        await Task.WhenAll(Enumerable.Range(0, 16).Select(async worker =>
        {
            var random = new Random(worker);
            for (int i = 0; i < 50; i++)
            {
                int[] values = [.. Enumerable.Range(0, random.Next(1, 300)).Select(_ => random.Next(1000) * 2)];
                (HttpStatusCode status, string body) = await server.PostAsync("/v2/models/half/infer", $$"""{"inputs":[{"name":"x","shape":[{{values.Length}}],"datatype":"FP32","data":[{{string.Join(',', values)}}]}]}""");
                Assert.True(status == HttpStatusCode.OK, body);
                Assert.Contains($"\"data\":[{string.Join(',', values.Select(value => value / 2 + 2))}]", body, StringComparison.Ordinal);
            }
        }));
    }

    [Fact]
    public async Task A_client_that_sends_its_body_too_slowly_is_cut_off()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync(options => options with { BodyGrace = TimeSpan.FromSeconds(1.5), MinimumBodyBytesPerSecond = 100_000 });
        await using SslStream connection = await ConnectAsync(server);
        await connection.WriteAsync(Encoding.ASCII.GetBytes("POST /v2/models/half/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"));
        string answer = await ReadToEndAsync(connection);
        Assert.StartsWith("HTTP/1.1 408 ", answer, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/v2/health/ready")).Status);
    }

    [Fact]
    public async Task A_client_that_sends_its_headers_too_slowly_is_cut_off()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync(options => options with { HeadersTimeout = TimeSpan.FromSeconds(1) });
        await using SslStream connection = await ConnectAsync(server);
        await connection.WriteAsync("POST /v2/models/half/infer HTTP/1.1\r\nHost: loc"u8.ToArray());
        Assert.StartsWith("HTTP/1.1 408 ", await ReadToEndAsync(connection), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_goes_away_in_the_middle_of_its_body_hurts_nobody()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        for (int i = 0; i < 20; i++)
        {
            await using SslStream connection = await ConnectAsync(server);
            await connection.WriteAsync(Encoding.ASCII.GetBytes("POST /v2/models/half/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{\"inputs\":["));
        }
        Assert.Equal(HttpStatusCode.OK, (await server.PostAsync("/v1/models/half:predict", """{"instances":[1]}""")).Status);
    }

    [Fact]
    public async Task More_connections_than_allowed_are_closed()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync(options => options with { MaximumConnections = 2 });
        await using SslStream first = await ConnectAsync(server), second = await ConnectAsync(server);
        await Assert.ThrowsAnyAsync<IOException>(() => ConnectAsync(server));
        await first.WriteAsync("GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8.ToArray());
        Assert.StartsWith("HTTP/1.1 200 ", await ReadToEndAsync(first), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stopping_answers_what_is_under_way()
    {
        TestServer server = await LoopAsync("""{"timeoutMilliseconds":60000}""");
        Task<(HttpStatusCode Status, string Body)> running = server.PostAsync("/v1/models/loop:predict", """{"inputs":{"rounds":300000,"x":[0]}}""");
        await server.GetAsync("/v2/health/live");
        await using (server)
        {
            (HttpStatusCode status, string body) = await running;
            Assert.True(status == HttpStatusCode.OK, body);
        }
    }

    private static async Task<TestServer> LoopAsync(string configuration, Func<InferenceOptions, InferenceOptions>? change = null) =>
        await TestServer.StartAsync(await new TestStore().AddAsync("loop", TestModels.Loop, configuration), change);

    private static async Task<SslStream> ConnectAsync(TestServer server)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, server.Host.Address.Port));
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true), false, (_, presented, _, _) => server.IsOwn(presented));
        try
        {
            await stream.AuthenticateAsClientAsync("localhost");
            return stream;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    private static async Task<string> ReadToEndAsync(SslStream connection)
    {
        using var reader = new StreamReader(connection, Encoding.ASCII, leaveOpen: true);
        return await reader.ReadToEndAsync();
    }
}
