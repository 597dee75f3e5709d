using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Cloister.Partitioning.Runner;
using Cloister.Serving.OpenInference.Grpc.Wire;
using Cloister.Serving.Partitioned;
using Cloister.Serving.Tests.Execution;
using Cloister.Serving.Tests.OpenInference.Grpc;
using Cloister.Serving.Tests.Server;
using Cloister.Workload;

namespace Cloister.Serving.Tests.Partitioned;

/// <summary>A model in parts, while its accelerators come and go.</summary>
public sealed class AcceleratorReadinessTests
{
    private static readonly byte[] s_warmUp = Encoding.UTF8.GetBytes(PartitionedServingTests.Request(TestParts.Rows(1)));

    [Fact]
    public async Task Health_says_whether_an_accelerator_is_there()
    {
        string folder = Directory.CreateTempSubdirectory("cloister-acc-").FullName;
        var address = AcceleratorAddress.Parse($"unix:{folder}/late.sock");
        TestStore store = await (await new TestStore().AddPartsAsync("m", TestParts.Small, """{"partition":{"deadlineMilliseconds":300}}""")).AddPartsAsync("inside", TestParts.Small, """{"partition":{"fallback":"inside"}}""");
        await using TestServer server = await TestServer.StartAsync(store, options => options with { Accelerators = [address] });
        Assert.Equal((HttpStatusCode.ServiceUnavailable, """{"name":"m","ready":false}"""), await server.GetAsync("/v2/models/m/ready"));
        Assert.Equal((HttpStatusCode.OK, """{"name":"inside","ready":true}"""), await server.GetAsync("/v2/models/inside/ready"));
        Assert.False(await OverGrpcAsync(server));
        // The other models of the server are served: it is not for one model's accelerator to take them away.
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/v2/health/ready")).Status);
        await using (TestAccelerator accelerator = await TestAccelerator.StartAsync(address))
        {
            await BecomesAsync(server, HttpStatusCode.OK);
            Assert.True(await OverGrpcAsync(server));
        }
        await BecomesAsync(server, HttpStatusCode.ServiceUnavailable);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_warm_up_that_an_accelerator_fails_is_tried_again()
    {
        await using TestAccelerator accelerator = await TestAccelerator.StartAsync(tcp: true);
        await using var proxy = AcceleratorProxy.Before(accelerator);
        proxy.Interference = Interference.Hang;
        TestStore store = await new TestStore().AddPartsAsync("m", TestParts.Small, more: ("warmup.jsonl", s_warmUp));
        await using TestServer server = await TestServer.StartAsync(store, options => options with
        {
            Accelerators = [proxy.Address],
            Repository = new RepositoryOptions { RetryInterval = TimeSpan.FromMilliseconds(50), LoadRetries = 0 },
        });
        (string _, ModelState state, string? why) = Assert.Single(server.Host.Models);
        Assert.Equal(ModelState.Unavailable, state);
        Assert.Contains("Request 1 of warmup.jsonl failed: No accelerator of model 'm'", why, StringComparison.Ordinal);
        proxy.Interference = Interference.None;
        await BecomesAsync(server, HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_warm_up_waits_for_a_model_that_is_on_its_way()
    {
        var time = new ManualTime();
        var log = new LogLines();
        var ready = new TaskCompletionSource();
        await using TestAccelerator accelerator = await TestAccelerator.StartAsync(tcp: true);
        await using var proxy = AcceleratorProxy.Before(accelerator);
        proxy.HoldReady(ready.Task);
        TestStore store = await new TestStore().AddPartsAsync("m", TestParts.Small, """{"partition":{"deadlineMilliseconds":400}}""", more: ("warmup.jsonl", s_warmUp));
        Task<TestServer> starting = TestServer.StartAsync(store, options => options with { Accelerators = [proxy.Address] }, time, log.Configure);
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!log.Lines.Any(line => line.Contains("Sending model", StringComparison.Ordinal))) await Task.Delay(5, patience.Token);
        // Past the time that a model waits for an accelerator that shows no sign, not past what loading may take.
        time.Advance(TimeSpan.FromMilliseconds(900));
        ready.SetResult();
        await using TestServer server = await starting;
        (string _, ModelState state, string? why) = Assert.Single(server.Host.Models);
        Assert.True(state == ModelState.Ready, why);
    }

    [Fact]
    public async Task A_version_that_no_accelerator_has_yet_takes_no_good_ones_place()
    {
        var time = new ManualTime();
        var log = new LogLines();
        var ready = new TaskCompletionSource();
        await using TestAccelerator accelerator = await TestAccelerator.StartAsync(tcp: true);
        await using var proxy = AcceleratorProxy.Before(accelerator);
        TestStore store = await new TestStore().AddPartsAsync("m", TestParts.Small);
        store.Change("m", grant => grant with { Digest = "" });
        store.Callers.Add(new CallerGrant("admin", default, SHA256.HashData("admin-token"u8), ["m"]) { Administers = ["models"] });
        await using TestServer server = await TestServer.StartAsync(store, options => options with { Accelerators = [proxy.Address], Repository = options.Repository with { AllowChanges = true } }, time, log.Configure);
        await BecomesAsync(server, HttpStatusCode.OK);
        proxy.HoldReady(ready.Task);
        await store.ReplaceEntriesAsync("m", 2, store.Entries(TestParts.Headless));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/repository/models/m/load") { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "admin-token");
        Task<HttpResponseMessage> loading = server.Client.SendAsync(request);
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (log.Lines.Count(line => line.Contains("Sending model", StringComparison.Ordinal)) < 2) await Task.Delay(5, patience.Token);
        time.Advance(TimeSpan.FromSeconds(10.5));
        Assert.DoesNotContain(log.Lines, line => line.Contains("No accelerator is ready", StringComparison.Ordinal));
        Assert.Equal("1", (string?)(await PartitionedServingTests.InferAsync(server, "m", TestParts.Rows(1)))["model_version"]);
        Assert.False(loading.IsCompleted);
        ready.SetResult();
        using HttpResponseMessage loaded = await loading;
        Assert.True(loaded.IsSuccessStatusCode, await loaded.Content.ReadAsStringAsync());
        Assert.Equal("2", (string?)(await PartitionedServingTests.InferAsync(server, "m", TestParts.Rows(1)))["model_version"]);
    }

    [Theory]
    [InlineData(1, 1000)]
    [InlineData(3000, 1500)]
    [InlineData(60_000, 10_000)]
    public void A_short_deadline_leaves_an_accelerator_time_to_connect(int deadline, int stall) => Assert.Equal(
        TimeSpan.FromMilliseconds(stall),
        PartitionedParts.Options(new PartitionSetting { Deadline = TimeSpan.FromMilliseconds(deadline) }, 1, TimeProvider.System).StallTimeout);

    [Fact]
    public async Task Requests_that_wait_for_one_end_with_their_callers_and_with_the_server()
    {
        var log = new LogLines();
        TestStore store = await new TestStore().AddPartsAsync("m", TestParts.Small, """{"partition":{"deadlineMilliseconds":86400000},"timeoutMilliseconds":86400000}""");
        // Nobody is awaited at the start: its time is turned by hand.
        var time = new ManualTime();
        Task<TestServer> starting = TestServer.StartAsync(store, options => options with
        {
            Accelerators = [AcceleratorAddress.Parse("unix:/nonexistent/cloister-accelerator.sock")],
            Metrics = new MetricsOptions { Open = true },
            ShutdownTimeout = TimeSpan.FromMilliseconds(100),
        }, time, log.Configure);
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        for (; !starting.IsCompleted; await Task.Delay(5, patience.Token)) time.Advance(TimeSpan.FromSeconds(1));
        await using TestServer server = await starting;
        Assert.Contains(log.Lines, line => line.Contains("No accelerator is ready for model m yet", StringComparison.Ordinal));
        using (var leaving = new CancellationTokenSource())
        {
            Task<HttpResponseMessage> gone = PostAsync(server, leaving.Token);
            await QueuedAsync(server, 1, patience.Token);
            await leaving.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
            await QueuedAsync(server, 0, patience.Token);
        }
        Task<HttpResponseMessage> left = PostAsync(server, CancellationToken.None);
        await QueuedAsync(server, 1, patience.Token);
        await server.Host.DisposeAsync();
        try
        {
            using HttpResponseMessage answer = await left;
            Assert.NotEqual(HttpStatusCode.OK, answer.StatusCode);
        }
        catch (HttpRequestException)
        {
            // Its connection was closed with the server.
        }
    }

    private static async Task<HttpResponseMessage> PostAsync(TestServer server, CancellationToken cancellation)
    {
        using var content = new StringContent(PartitionedServingTests.Request(TestParts.Rows(1)), Encoding.UTF8, "application/json");
        return await server.Client.PostAsync("/v2/models/m/infer", content, cancellation);
    }

    private static async Task QueuedAsync(TestServer server, int count, CancellationToken patience)
    {
        while (!(await server.GetAsync("/metrics")).Body.Contains($$"""cloister_serving_accelerator_queued{model="m"} {{count}}""", StringComparison.Ordinal)) await Task.Delay(10, patience);
    }

    private static async Task BecomesAsync(TestServer server, HttpStatusCode status)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while ((await server.GetAsync("/v2/models/m/ready")).Status != status) await Task.Delay(20, patience.Token);
    }

    private static async Task<bool> OverGrpcAsync(TestServer server)
    {
        using var client = new GrpcClient(server);
        return (await client.CallAsync("ModelReady", new ModelReadyRequest { Name = "m" }, ModelReadyResponse.Parser)).Ready;
    }
}
