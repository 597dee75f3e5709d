using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using Cloister.Serving.Metrics;
using Cloister.Serving.Tests.Server;

namespace Cloister.Serving.Tests.Observation;

/// <summary>Prometheus' text over a real connection.</summary>
public sealed partial class MetricsTests
{
    [Fact]
    public async Task Requests_are_counted_under_TF_Serving_s_names_and_our_own()
    {
        TestStore store = await new TestStore().AddAsync("half", TestModels.HalfPlusTwo);
        await using TestServer server = await TestServer.StartAsync(store, options => options with { Metrics = new MetricsOptions { Open = true } });
        for (int i = 0; i < 3; i++) Assert.Equal(HttpStatusCode.OK, (await server.PostAsync("/v1/models/half:predict", """{"instances": [1.0, 2.0]}""")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await server.PostAsync("/v1/models/half:predict", "{")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await server.PostAsync("/v1/models/none:predict", "{}")).Status);
        Assert.Equal(HttpStatusCode.OK, (await server.PostAsync("/v2/models/half/infer", """{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}""")).Status);

        Dictionary<string, double> samples = await ScrapeUntilAsync(server.Client, MetricsOptions.TensorFlowPath,
            all => Sum(all, ":tensorflow:serving:request_count") == 5 && Sum(all, "cloister_serving_requests_total") == 6);
        Assert.Equal(3, samples[""":tensorflow:serving:request_count{model_name="half",status="OK"}"""]);
        Assert.Equal(1, samples[""":tensorflow:serving:request_count{model_name="half",status="INVALID_ARGUMENT"}"""]);
        Assert.Equal(1, samples[""":tensorflow:serving:request_count{model_name="",status="NOT_FOUND"}"""]);
        Assert.Equal(3, samples[""":tensorflow:serving:request_latency_count{model_name="half",API="predict",entrypoint="REST"}"""]);
        Assert.Equal(3, samples[""":tensorflow:serving:request_latency_bucket{model_name="half",API="predict",entrypoint="REST",le="+Inf"}"""]);
        Assert.Contains(""":tensorflow:serving:request_latency_bucket{model_name="half",API="predict",entrypoint="REST",le="18"}""", samples.Keys);
        Assert.Equal(3, samples[""":tensorflow:serving:runtime_latency_count{model_name="half",API="predict",runtime="ONNXRuntime"}"""]);

        Assert.Equal(4, samples["""cloister_serving_requests_total{surface="tensorflow-rest",method="predict",model="half",version="1"}"""]); // the refused body too
        Assert.Equal(1, samples["""cloister_serving_refusals_total{surface="tensorflow-rest",model="half",reason="malformed_json"}"""]);
        Assert.Equal(1, samples["""cloister_serving_refusals_total{surface="tensorflow-rest",model="",reason="model_not_found"}"""]);
        Assert.Equal(4, samples["""cloister_serving_compute_seconds_count{model="half"}"""]);
        Assert.Equal(4, samples["""cloister_serving_queue_seconds_count{model="half"}"""]);
        Assert.Equal(7, samples["""cloister_serving_request_items_sum{model="half"}"""]);
        Assert.True(samples["""cloister_serving_request_bytes_total{surface="tensorflow-rest",model="half"}"""] > 3 * 20);
        Assert.True(samples["""cloister_serving_response_bytes_total{surface="tensorflow-rest",model="half"}"""] > 3 * 20);
        Assert.Equal(1, samples["""cloister_serving_model_state{model="half",version="1",state="available"}"""]);
        Assert.Equal(0, samples["""cloister_serving_queue_depth{model="half"}"""]);
        Assert.Equal(256, samples["""cloister_serving_queue_limit{model="half"}"""]);
        Assert.Equal((1, 0), (samples["cloister_serving_ready"], samples["cloister_serving_in_flight"]));
        Assert.True(samples["process_resident_memory_bytes"] > 0);
        // Every bucket series rises to its count, under both addresses alike.
        Assert.Equal(samples.Keys.Order(), (await ScrapeAsync(server.Client, MetricsOptions.Path)).Keys.Order());
    }

    [Fact]
    public async Task Versions_that_are_opened_and_warmed_up_are_counted()
    {
        TestStore store = await new TestStore().AddAsync("half", TestModels.HalfPlusTwo, null, null, ("warmup.jsonl", """{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}"""u8.ToArray()));
        await store.AddAsync("bad", "no model"u8.ToArray());
        await using TestServer server = await TestServer.StartAsync(store, options => options with { Metrics = new MetricsOptions { Open = true } });
        Dictionary<string, double> samples = await ScrapeAsync(server.Client, MetricsOptions.Path);
        Assert.Equal(1, samples[""":tensorflow:cc:saved_model:load_attempt_count{model_path="half/1",status="success"}"""]);
        Assert.Equal(1, samples[""":tensorflow:cc:saved_model:load_attempt_count{model_path="bad/1",status="fail"}"""]);
        Assert.True(samples[""":tensorflow:cc:saved_model:load_latency{model_path="half/1"}"""] > 0);
        Assert.Equal(1, samples[""":tensorflow:serving:model_warmup_latency_count{model_path="half/1",status="OK"}"""]);
        Assert.Equal(1, samples["""cloister_serving_model_state{model="bad",version="1",state="end"}"""]);
    }

    [Fact]
    public async Task Batches_are_counted_as_a_batching_session()
    {
        TestStore store = await new TestStore().AddAsync("half", TestModels.HalfPlusTwo);
        await using TestServer server = await TestServer.StartAsync(store, options => options with { Metrics = new MetricsOptions { Open = true }, Batching = new BatchingOptions { MaxBatchSize = 8 } });
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => server.PostAsync("/v1/models/half:predict", """{"instances": [1.0, 2.0]}""")));
        Dictionary<string, double> samples = await ScrapeAsync(server.Client, MetricsOptions.Path);
        double runs = samples[":tensorflow:serving:batching_session:wrapped_run_count"];
        Assert.InRange(runs, 1, 20);
        Assert.Equal(runs, samples[":tensorflow:serving:batching_session:processed_batch_size_count"]);
        Assert.Equal(40, samples[":tensorflow:serving:batching_session:processed_batch_size_sum"] - samples["""cloister_serving_batch_padding_items_total{model="half"}"""]);
        Assert.Equal(20, samples[""":tensorflow:serving:batching_session:queuing_latency_count{thread_pool_name="half"}"""]);
        Assert.Equal(80, samples["""cloister_serving_queue_limit{model="half"}"""]);
    }

    [Fact]
    public async Task Only_callers_see_metrics_and_only_of_models_they_may_use()
    {
        TestStore store = await new TestStore().AddAsync("half", TestModels.HalfPlusTwo);
        await store.AddAsync("other", TestModels.SumAndDifference);
        store.AllowToken("alice", "alice's token", "half");
        await using TestServer server = await TestServer.StartAsync(store);
        await server.PostAsync("/v1/models/half:predict", """{"instances": [1.0]}""");
        await server.PostAsync("/v2/models/other/infer", "{}");
        using (HttpResponseMessage refused = await server.Client.GetAsync(MetricsOptions.Path))
        {
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
            Assert.Equal("Bearer", refused.Headers.WwwAuthenticate.Single().Scheme);
            Assert.DoesNotContain("half", await refused.Content.ReadAsStringAsync());
        }
        using HttpClient wrong = server.CreateClient();
        wrong.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "bob's token");
        Assert.Equal(HttpStatusCode.Unauthorized, (await wrong.GetAsync(MetricsOptions.Path)).StatusCode);
        using HttpClient alice = server.CreateClient();
        alice.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", "Bearer alice's token");
        Dictionary<string, double> samples = await ScrapeUntilAsync(alice, MetricsOptions.Path, all => Sum(all, "cloister_serving_requests_total") >= 1);
        Assert.Contains(samples.Keys, name => name.StartsWith("cloister_serving_requests_total", StringComparison.Ordinal) && name.Contains("\"half\"", StringComparison.Ordinal));
        Assert.DoesNotContain(samples.Keys, name => name.Contains("\"other\"", StringComparison.Ordinal) && !name.StartsWith("cloister_serving_model_state", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Metrics_can_be_had_elsewhere_or_not_at_all()
    {
        TestStore store = await new TestStore().AddAsync("half", TestModels.HalfPlusTwo);
        await using (TestServer server = await TestServer.StartAsync(store, options => options with { Metrics = new MetricsOptions { Open = true, Paths = ["/m/x"] } }))
        {
            Assert.NotEmpty(await ScrapeAsync(server.Client, "/m/x"));
            Assert.Equal(HttpStatusCode.NotFound, (await server.GetAsync(MetricsOptions.Path)).Status);
        }
        store = await new TestStore().AddAsync("half", TestModels.HalfPlusTwo);
        await using (TestServer server = await TestServer.StartAsync(store, options => options with { Metrics = null }))
            Assert.Equal(HttpStatusCode.NotFound, (await server.GetAsync(MetricsOptions.Path)).Status);
    }

    [Fact]
    public void Histograms_count_up_to_and_with_their_bounds()
    {
        var histogram = new Histogram([1, 2, 4]);
        foreach (double value in (double[])[0.5, 1, 1.5, 2, 4.1, double.PositiveInfinity, double.NaN]) histogram.Observe(value);
        Assert.Equal([2, 2, 0, 2], histogram.Counts());
        Assert.Equal([10, 18, 32.4], Histogram.Exponential(10, 1.8, 3), (one, other) => Math.Abs(one - other) < 1e-9);
    }

    [Fact]
    public void Label_values_and_help_are_escaped_and_series_bounded()
    {
        var counters = new CounterFamily("c", "back\\slash\nline", "model");
        counters.Of(new("a\"b\\c\nd")).Add(2);
        var text = new Exposition();
        counters.Write(text, _ => true);
        Assert.Equal("# HELP c back\\\\slash\\nline\n# TYPE c counter\nc{model=\"a\\\"b\\\\c\\nd\"} 2\n", text.ToString());
        for (int i = 0; i < 5000; i++) counters.Of(new($"m{i}")).Add(1);
        Assert.InRange(counters.Cells.Count(), 4096, 4097);
        Assert.Equal(5002, counters.Cells.Sum(cell => cell.Value.Value));
    }

    [Fact]
    public void Every_refusal_has_a_name() => Assert.Equal("deadline_exceeded", RequestMetrics.Reason(ServingError.DeadlineExceeded));

    /// <summary>A request is counted once its answer was sent: whoever has the answer may be quicker.</summary>
    private static async Task<Dictionary<string, double>> ScrapeUntilAsync(HttpClient client, string path, Func<Dictionary<string, double>, bool> done)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        Dictionary<string, double> samples;
        while (!done(samples = await ScrapeAsync(client, path))) await Task.Delay(20, patience.Token);
        return samples;
    }

    private static double Sum(Dictionary<string, double> samples, string name) =>
        samples.Where(sample => sample.Key.StartsWith(name + "{", StringComparison.Ordinal)).Sum(sample => sample.Value);

    internal static async Task<Dictionary<string, double>> ScrapeAsync(HttpClient client, string path)
    {
        using HttpResponseMessage response = await client.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        var samples = new Dictionary<string, double>(StringComparer.Ordinal);
        var families = new HashSet<string>(StringComparer.Ordinal);
        string family = "";
        foreach (string line in (await response.Content.ReadAsStringAsync()).TrimEnd('\n').Split('\n'))
        {
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                family = line.Split(' ')[2];
                Assert.True(families.Add(family), $"{family} is there twice.");
            }
            if (line[0] == '#') continue;
            Match sample = Sample().Match(line);
            Assert.True(sample.Success, line);
            Assert.StartsWith(family, sample.Groups[1].Value, StringComparison.Ordinal);
            samples.Add(sample.Groups[1].Value, double.Parse(sample.Groups[2].Value, System.Globalization.CultureInfo.InvariantCulture));
        }
        return samples;
    }

    [GeneratedRegex("""^([a-zA-Z_:][a-zA-Z0-9_:]*(?:\{[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*")*\})?) ([-+0-9.eE]+|[+-]Inf|NaN)$""")]
    private static partial Regex Sample();
}
