using System.Net;
using System.Text;
using Cloister.Serving.Tests.Execution;
using Cloister.Serving.Tests.Repository;

namespace Cloister.Serving.Tests.Server;

/// <summary>What a caller sees of a server that stops, and of versions that change.</summary>
public sealed class StoppingTests
{
    private const string Request = """{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[2]}]}""";

    [Fact]
    public async Task A_server_that_stops_says_so_first_and_still_answers()
    {
        var time = new ManualTime();
        await using TestServer server = await TestServer.StartAsync(
            await new TestStore().AddAsync("half", TestModels.HalfPlusTwo), options => options with { DrainDelay = TimeSpan.FromMinutes(1) }, time);
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/v2/health/ready")).Status);
        Task stopping = server.Host.DisposeAsync().AsTask();
        Assert.Equal((HttpStatusCode.ServiceUnavailable, """{"ready":false}"""), await server.GetAsync("/v2/health/ready"));
        Assert.Equal(HttpStatusCode.OK, (await server.PostAsync("/v2/models/half/infer", Request)).Status);
        Assert.False(stopping.IsCompleted);
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!stopping.IsCompleted)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await Task.Delay(5, limit.Token);
        }
        await stopping;
        await Assert.ThrowsAsync<HttpRequestException>(() => server.GetAsync("/v2/health/ready"));
    }

    [Fact]
    public async Task A_request_under_way_is_answered_and_a_new_one_is_refused()
    {
        await using TestServer server = await TestServer.StartAsync(
            await new TestStore().AddAsync("half", TestModels.HalfPlusTwo), options => options with { BodyGrace = TimeSpan.FromMinutes(5), ShutdownTimeout = TimeSpan.FromMinutes(5) });
        // The server asks for the body once the request holds its version.
        var body = new HeldContent(Request);
        using var begun = new HttpRequestMessage(HttpMethod.Post, "/v2/models/half/infer") { Content = body, Version = HttpVersion.Version11 };
        begun.Headers.ExpectContinue = true;
        using HttpClient first = server.CreateClient(), second = server.CreateClient();
        Assert.Equal(HttpStatusCode.OK, (await second.GetAsync("/v2/health/ready")).StatusCode); // a connection that is open already
        Task<HttpResponseMessage> answer = first.SendAsync(begun);
        await body.Asked.WaitAsync(TimeSpan.FromMinutes(2));

        Task stopping = server.Host.DisposeAsync().AsTask();
        try
        {
            using HttpResponseMessage refused = await second.PostAsync("/v2/models/half/infer", new StringContent(Request));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        }
        catch (HttpRequestException)
        {
            // The connection was closed already.
        }
        Assert.False(stopping.IsCompleted);
        body.Release();
        using HttpResponseMessage response = await answer;
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains("\"data\":[3]", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await stopping;
    }

    [Fact]
    public async Task Versions_change_under_callers_without_one_refusal()
    {
        const int changes = 30;
        var store = new TestStore();
        await store.AddAsync("model", VersionStore.Model(1));
        store.Change("model", grant => grant with { Digest = "", MinimumVersion = 0 });
        await using TestServer server = await TestServer.StartAsync(store, options => options with { Repository = new RepositoryOptions { PollInterval = TimeSpan.FromMilliseconds(10) } });
        using var stop = new CancellationTokenSource();
        Task<int>[] callers = [.. Enumerable.Range(0, 4).Select(caller => Task.Run(async () =>
        {
            using HttpClient client = server.CreateClient(http2: caller % 2 == 0);
            int asked = 0;
            for (; !stop.IsCancellationRequested; asked++)
            {
                using HttpResponseMessage response = await client.PostAsync("/v2/models/model/infer", new StringContent(Request));
                string body = await response.Content.ReadAsStringAsync();
                Assert.True(response.StatusCode == HttpStatusCode.OK, body);
                // What answers is the version that it says it is: x + version for x = 2.
                int version = int.Parse(System.Text.RegularExpressions.Regex.Match(body, "\"model_version\":\"(\\d+)\"").Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
                Assert.Contains($"\"data\":[{version + 2}]", body, StringComparison.Ordinal);
            }
            return asked;
        }))];
        for (int version = 2; version <= changes; version++)
        {
            await store.ReplaceAsync("model", version, VersionStore.Model(version));
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            while (!(await server.GetAsync("/v2/models/model")).Body.Contains($"\"versions\":[\"{version}\"]", StringComparison.Ordinal)) await Task.Delay(5, limit.Token);
            Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/v2/health/ready")).Status);
        }
        await stop.CancelAsync();
        Assert.All(await Task.WhenAll(callers), asked => Assert.True(asked > 0));
    }

    /// <summary>A body that is sent when the test says so.</summary>
    private sealed class HeldContent(string text) : HttpContent
    {
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously), _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Asked => _asked.Task;

        public void Release() => _released.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            _asked.SetResult();
            await _released.Task;
            await stream.WriteAsync(Encoding.UTF8.GetBytes(text));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = text.Length;
            return true;
        }
    }
}
