using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Cloister.Partitioning.Runner;
using Cloister.Serving.Tests.Server;

namespace Cloister.Serving.Tests.Partitioned;

/// <summary>Whatever an accelerator does, an answer is right or it is refused.</summary>
public sealed class AcceleratorTroubleTests
{
    private static readonly AcceleratorAddress s_nobody = AcceleratorAddress.Parse("unix:/nonexistent/cloister-accelerator.sock");

    [Fact]
    public async Task A_dead_one_is_waited_for_and_then_the_request_is_refused()
    {
        TestStore store = await new TestStore().AddPartsAsync("m", TestParts.Small, """{"partition":{"deadlineMilliseconds":300}}""");
        await using TestServer server = await TestServer.StartAsync(store, options => options with { Accelerators = [s_nobody] });
        Assert.Equal(ModelState.Ready, Assert.Single(server.Host.Models).State);
        using var content = new StringContent(PartitionedServingTests.Request(TestParts.Rows(1)), System.Text.Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await server.Client.PostAsync("/v2/models/m/infer", content);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
        string body = await answer.Content.ReadAsStringAsync();
        Assert.Contains("No accelerator of model 'm' gave an answer that could be used", body, StringComparison.Ordinal);
        Assert.DoesNotContain("nonexistent", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dead_one_beside_a_good_one_does_no_harm()
    {
        await using TestAccelerator accelerator = await TestAccelerator.StartAsync();
        await using TestServer server = await StartAsync(null, s_nobody, accelerator.Address);
        foreach (float[] row in TestParts.Rows(4)) await RightAsync(server, row);
    }

    [Fact]
    public async Task Without_any_it_runs_inside_where_its_maker_says_so()
    {
        var log = new LogLines();
        TestStore store = await (await new TestStore().AddAsync("whole", TestParts.Small.Whole)).AddPartsAsync("m", TestParts.Small, """{"partition":{"fallback":"inside"}}""");
        await using TestServer server = await TestServer.StartAsync(store, options => options with { Metrics = new MetricsOptions { Open = true } }, logging: log.Configure);
        foreach (float[] row in TestParts.Rows(3)) await RightAsync(server, row);
        Assert.Contains(log.Lines, line => line.Contains("MODEL m RUNS WHOLLY INSIDE", StringComparison.Ordinal));
        Assert.Contains("""cloister_serving_accelerator_requests_total{model="m",outcome="inside"} 3""", await MetricsAsync(server), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Interference.NotNumbers, "bad_values")]
    [InlineData(Interference.WrongShape, null)]
    [InlineData(Interference.Stale, "other_input")]
    [InlineData(Interference.Swallow, "stalled")]
    [InlineData(Interference.Hang, null)]
    internal async Task Answers_that_cannot_be_used_are_not_given_to_anybody(Interference interference, string? fault)
    {
        await using TestAccelerator accelerator = await TestAccelerator.StartAsync(tcp: true);
        await using var proxy = AcceleratorProxy.Before(accelerator);
        // One that swallows is known by the time it takes alone: half of the deadline.
        await using TestServer server = await StartAsync($$$"""{"partition":{"deadlineMilliseconds":{{{(interference == Interference.Swallow ? 2000 : 60_000)}}},"spotChecks":0}}""", proxy.Address);
        float[][] rows = TestParts.Rows(3);
        await ReadyAsync(server);
        proxy.Interference = interference;
        if (interference == Interference.Stale) await RightAsync(server, rows[2]); // what is answered again later
        await RightOrRefusedAsync(server, rows[0]);
        if (fault is not null) await FaultAsync(server, fault);
        Assert.Contains("in parts:", (await server.GetAsync("/status")).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Once_it_is_well_again_so_is_the_model()
    {
        await using TestAccelerator accelerator = await TestAccelerator.StartAsync(tcp: true);
        await using var proxy = AcceleratorProxy.Before(accelerator);
        await using TestServer server = await StartAsync(null, proxy.Address);
        float[] row = TestParts.Rows(1)[0];
        proxy.Interference = Interference.NotNumbers;
        await RightOrRefusedAsync(server, row);
        proxy.Interference = Interference.None;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while ((await server.PostAsync("/v2/models/m/infer", PartitionedServingTests.Request(row))).Status != HttpStatusCode.OK) patience.Token.ThrowIfCancellationRequested();
        await RightAsync(server, row);
    }

    [Fact]
    public async Task A_liar_is_found_out_before_its_answer_is_believed()
    {
        await using TestAccelerator accelerator = await TestAccelerator.StartAsync(tcp: true);
        await using var proxy = AcceleratorProxy.Before(accelerator);
        await using TestServer server = await StartAsync("""{"partition":{"spotChecks":1}}""", proxy.Address);
        float[][] rows = TestParts.Rows(4);
        await RightAsync(server, rows[0]);
        proxy.Interference = Interference.Lie;
        foreach (float[] row in rows[1..]) await RightOrRefusedAsync(server, row);
        await FaultAsync(server, "lied");
        Assert.Contains("""cloister_serving_accelerators{model="m",phase="banned"} 1""", await MetricsAsync(server), StringComparison.Ordinal);
        // Once is enough: it is not asked again.
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.PostAsync("/v2/models/m/infer", PartitionedServingTests.Request(rows[0]))).Status);
    }

    [Fact]
    public async Task What_crosses_is_the_cut_and_nothing_of_the_input()
    {
        await using TestAccelerator accelerator = await TestAccelerator.StartAsync(tcp: true);
        await using var proxy = AcceleratorProxy.Before(accelerator);
        await using TestServer server = await StartAsync("""{"partition":{"topK":2}}""", TestParts.Labels, proxy.Address);
        float[][] rows = TestParts.Rows(6);
        foreach (float[] row in rows) await PartitionedServingTests.InferAsync(server, "m", row);
        // Each run holds the cut's one tensor of six, computed anew here, and each byte sent besides is the back's or a header's.
        using var front = Cloister.Onnx.Runtime.OrtSession.FromMemory(TestParts.Small.Front);
        IReadOnlyList<float[]> runs = proxy.Runs;
        Assert.Equal(rows.Length, runs.Count);
        for (int i = 0; i < rows.Length; i++)
        {
            using var input = Cloister.Onnx.Runtime.OrtTensor.OverPinned(rows[i].AsMemory(), [1, TestParts.Inputs]);
            var output = new Cloister.Onnx.Runtime.OrtTensor?[1];
            front.Run([input], output);
            Assert.Equal(output[0]!.Span<float>().ToArray(), runs[i]);
            output[0]!.Dispose();
        }
        byte[] all = [.. proxy.Sent.SelectMany(frame => frame)];
        foreach (float value in rows.SelectMany(row => row)) Assert.Equal(-1, all.AsSpan().IndexOf(MemoryMarshal.AsBytes([value])));
        foreach (string label in TestParts.Labels.Split('\n').Where(label => label.Length > 3)) Assert.Equal(-1, all.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(label)));
        Assert.True(all.AsSpan().IndexOf(TestParts.Small.Back) > 0, "The outer part is sent in the clear, as docs/partitioning.md says.");
        Assert.Equal(-1, all.AsSpan().IndexOf(TestParts.Small.Front.AsSpan(0, 64)));
    }

    [Fact]
    public async Task Another_version_takes_over_while_requests_run()
    {
        await using TestAccelerator accelerator = await TestAccelerator.StartAsync();
        TestStore store = await (await new TestStore().AddAsync("whole", TestParts.Small.Whole)).AddPartsAsync("m", TestParts.Small);
        store.Change("m", grant => grant with { Digest = "" });
        await using TestServer server = await TestServer.StartAsync(store, options => options with
        {
            Accelerators = [accelerator.Address],
            Repository = new RepositoryOptions { PollInterval = TimeSpan.FromMilliseconds(50) },
        });
        using var done = new CancellationTokenSource();
        Task[] callers = [.. Enumerable.Range(0, 4).Select(caller => Task.Run(async () =>
        {
            float[] row = TestParts.Rows(4)[caller];
            while (!done.IsCancellationRequested) await RightAsync(server, row);
        }))];
        await store.ReplaceEntriesAsync("m", 2, store.Entries(TestParts.Headless));
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while ((await server.GetAsync("/v2/models/m/versions/2/ready")).Status != HttpStatusCode.OK) await Task.Delay(50, patience.Token);
        await done.CancelAsync();
        await Task.WhenAll(callers);
        await RightAsync(server, TestParts.Rows(1)[0]);
        // A version whose parts are not those that were signed does not take the place of a good one.
        await store.ReplaceEntriesAsync("m", 3, store.Entries(TestParts.Small, report: report => report with { Back = new string('0', 64) }));
        while (!(await server.GetAsync("/v1/models/m")).Body.Contains("\"3\"", StringComparison.Ordinal)) await Task.Delay(50, patience.Token);
        await RightAsync(server, TestParts.Rows(1)[0]);
    }

    [Fact]
    public async Task What_its_maker_asks_beforehand_waits_for_an_accelerator()
    {
        string folder = Directory.CreateTempSubdirectory("cloister-acc-").FullName;
        var address = AcceleratorAddress.Parse($"unix:{folder}/late.sock");
        byte[] request = System.Text.Encoding.UTF8.GetBytes(PartitionedServingTests.Request(TestParts.Rows(1)));
        TestStore store = await (await new TestStore().AddAsync("whole", TestParts.Small.Whole)).AddPartsAsync("m", TestParts.Small, """{"partition":{"deadlineMilliseconds":400}}""", more: ("warmup.jsonl", request));
        await using TestServer server = await TestServer.StartAsync(store, options => options with
        {
            Accelerators = [address],
            Repository = new RepositoryOptions { PollInterval = TimeSpan.FromMilliseconds(50), RetryInterval = TimeSpan.FromMilliseconds(100), LoadRetries = int.MaxValue },
        });
        (string _, ModelState state, string? why) = Assert.Single(server.Host.Models, model => model.Name == "m");
        Assert.Equal(ModelState.Unavailable, state);
        Assert.Contains("which its warm-up needs", why, StringComparison.Ordinal);
        await using TestAccelerator accelerator = await TestAccelerator.StartAsync(address);
        await ReadyAsync(server);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Many_at_once_each_get_their_own()
    {
        await using TestAccelerator accelerator = await TestAccelerator.StartAsync();
        await using TestServer server = await StartAsync("""{"partition":{"maxBatchSize":4,"spotChecks":0.5}}""", accelerator.Address);
        float[][] rows = TestParts.Rows(40);
        await Parallel.ForEachAsync(rows, new ParallelOptions { MaxDegreeOfParallelism = 10 }, async (row, _) => await RightAsync(server, row));
        Assert.Contains("""cloister_serving_accelerator_requests_total{model="m",outcome="outside"} 40""", await MetricsAsync(server), StringComparison.Ordinal);
    }

    private static Task<TestServer> StartAsync(string? configuration, params AcceleratorAddress[] accelerators) => StartAsync(configuration, null, accelerators);

    private static async Task<TestServer> StartAsync(string? configuration, string? labels, params AcceleratorAddress[] accelerators)
    {
        TestStore store = await (await new TestStore().AddAsync("whole", TestParts.Small.Whole)).AddPartsAsync("m", TestParts.Small, configuration, labels);
        TestServer server = await TestServer.StartAsync(store, options => options with { Accelerators = accelerators, Metrics = new MetricsOptions { Open = true }, StatusPage = new StatusPageOptions { Open = true } });
        Assert.All(server.Host.Models, model => Assert.True(model.State == ModelState.Ready, model.Reason));
        return server;
    }

    private static async Task ReadyAsync(TestServer server)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while ((await server.GetAsync("/v2/models/m/ready")).Status != HttpStatusCode.OK) await Task.Delay(50, patience.Token);
    }

    private static async Task RightOrRefusedAsync(TestServer server, float[] row)
    {
        (HttpStatusCode status, string body) = await server.PostAsync("/v2/models/m/infer", PartitionedServingTests.Request(row));
        if (status == HttpStatusCode.OK) await SameAsync(server, row, JsonNode.Parse(body)!);
        else Assert.True(status == HttpStatusCode.ServiceUnavailable, body);
    }

    // A fault is counted when its connection has ended, which may be a little after the answer.
    private static async Task FaultAsync(TestServer server, string fault)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        string figures = await MetricsAsync(server);
        for (; figures.Contains($$"""cloister_serving_accelerator_faults_total{model="m",fault="{{fault}}"} 0""", StringComparison.Ordinal); figures = await MetricsAsync(server))
        {
            Assert.False(patience.IsCancellationRequested, string.Join('\n', figures.Split('\n').Where(line => line.Contains("_accelerator", StringComparison.Ordinal) && !line.EndsWith(" 0", StringComparison.Ordinal))));
            await Task.Delay(50);
        }
    }

    private static async Task RightAsync(TestServer server, float[] row) => await SameAsync(server, row, await PartitionedServingTests.InferAsync(server, "m", row));

    private static async Task SameAsync(TestServer server, float[] row, JsonNode answer)
    {
        double[] expected = Scores(await PartitionedServingTests.InferAsync(server, "whole", row)), actual = Scores(answer);
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 1e-5);
    }

    private static double[] Scores(JsonNode answer) => [.. answer["outputs"]![0]!["data"]!.AsArray().Select(score => (double)score!)];

    private static async Task<string> MetricsAsync(TestServer server) => (await server.GetAsync("/metrics")).Body;
}
