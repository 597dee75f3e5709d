using System.Net;
using System.Text.Json;
using Cloister.Serving.Statistics;
using Cloister.Serving.Tests.Server;

namespace Cloister.Serving.Tests.OpenInference;

/// <summary>Triton's statistics and model configuration extensions.</summary>
public sealed class StatisticsTests
{
    [Fact]
    public async Task Requests_are_counted_by_version_whatever_their_surface()
    {
        await using TestServer server = await TestServer.StartAsync(await (await new TestStore().AddAsync("half", TestModels.HalfPlusTwo)).AddAsync("two", TestModels.SumAndDifference));
        for (int i = 0; i < 3; i++) await server.PostAsync("/v2/models/half/infer", """{"inputs":[{"name":"x","shape":[2],"datatype":"FP32","data":[1,2]}]}""");
        await server.PostAsync("/v1/models/half:predict", """{"instances":[1,2,3,4,5]}""");
        await server.PostAsync("/v2/models/half/infer", """{"inputs":[]}""");
        await server.PostAsync("/v2/models/half/infer", "no JSON");
        await server.PostAsync("/v2/models/half/versions/9/infer", "{}");
        await server.PostAsync("/v2/models/nobody/infer", "{}");
        await server.GetAsync("/v2/models/half");
        // The answer is on its way before a request is counted, and figures are not read at one moment.
        JsonElement half = default;
        for (int i = 0; i < 10_000 && half.ValueKind == JsonValueKind.Undefined; i++)
        {
            (HttpStatusCode status, string body) = await server.GetAsync("/v2/models/half/versions/1/stats");
            Assert.True(status == HttpStatusCode.OK, body);
            JsonElement read = JsonDocument.Parse(body).RootElement.GetProperty("model_stats")[0];
            JsonElement counts = read.GetProperty("inference_stats");
            if (counts.GetProperty("fail").GetProperty("count").GetInt32() == 2 && counts.GetProperty("success").GetProperty("count").GetInt32() == 4) half = read;
        }
        Assert.Equal("half", half.GetProperty("name").GetString());
        Assert.Equal("1", half.GetProperty("version").GetString());
        Assert.Equal(11, half.GetProperty("inference_count").GetInt32());
        Assert.Equal(4, half.GetProperty("execution_count").GetInt32());
        Assert.True(half.GetProperty("last_inference").GetInt64() > 1_700_000_000_000);
        JsonElement stats = half.GetProperty("inference_stats");
        foreach (string part in new[] { "success", "queue", "compute_input", "compute_infer", "compute_output" })
            Assert.Equal(4, stats.GetProperty(part).GetProperty("count").GetInt32());
        Assert.Equal(2, stats.GetProperty("fail").GetProperty("count").GetInt32());
        Assert.Equal(0, stats.GetProperty("cache_hit").GetProperty("count").GetInt32());
        long sum = new[] { "queue", "compute_input", "compute_infer", "compute_output" }.Sum(part => stats.GetProperty(part).GetProperty("ns").GetInt64());
        Assert.InRange(sum, 1, stats.GetProperty("success").GetProperty("ns").GetInt64());
        Assert.Equal([2, 5], half.GetProperty("batch_stats").EnumerateArray().Select(batch => batch.GetProperty("batch_size").GetInt32()));
        Assert.Equal([3, 1], half.GetProperty("batch_stats").EnumerateArray().Select(batch => batch.GetProperty("compute_infer").GetProperty("count").GetInt32()));
        using JsonDocument all = JsonDocument.Parse((await server.GetAsync("/v2/models/stats")).Body);
        Assert.Equal(["half", "two"], all.RootElement.GetProperty("model_stats").EnumerateArray().Select(model => model.GetProperty("name").GetString()));
        Assert.Equal(HttpStatusCode.NotFound, (await server.GetAsync("/v2/models/half/versions/9/stats")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await server.GetAsync("/v2/models/nobody/stats")).Status);
    }

    [Fact]
    public async Task Nobody_sees_the_figures_of_a_model_that_he_may_not_use()
    {
        TestStore store = await (await new TestStore().AddAsync("half", TestModels.HalfPlusTwo)).AddAsync("two", TestModels.SumAndDifference);
        store.Anonymous.Remove("two");
        await using TestServer server = await TestServer.StartAsync(store);
        using JsonDocument all = JsonDocument.Parse((await server.GetAsync("/v2/models/stats")).Body);
        Assert.Equal(["half"], all.RootElement.GetProperty("model_stats").EnumerateArray().Select(model => model.GetProperty("name").GetString()));
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.GetAsync("/v2/models/two/stats")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.GetAsync("/v2/models/two/config")).Status);
    }

    [Fact]
    public async Task The_configuration_describes_a_model_as_Triton_does()
    {
        await using TestServer server = await TestServer.StartAsync(await (await new TestStore().AddAsync("two", TestModels.SumAndDifference)).AddAsync("text", TestModels.TextIdentity));
        Assert.Equal((HttpStatusCode.OK,
            """{"name":"two","platform":"onnxruntime_onnx","backend":"onnxruntime","version_policy":{"specific":{"versions":[1]}},"max_batch_size":0,"input":[{"name":"a","data_type":"TYPE_FP32","format":"FORMAT_NONE","dims":[-1,2]},{"name":"b","data_type":"TYPE_FP32","format":"FORMAT_NONE","dims":[-1,2]}],"output":[{"name":"sum","data_type":"TYPE_FP32","dims":[-1,2]},{"name":"difference","data_type":"TYPE_FP32","dims":[-1,2]}],"instance_group":[{"name":"two","kind":"KIND_CPU","count":1,"gpus":[]}],"default_model_filename":"model.onnx","parameters":{}}"""),
            await server.GetAsync("/v2/models/two/config"));
        Assert.Contains("\"data_type\":\"TYPE_STRING\"", (await server.GetAsync("/v2/models/text/versions/1/config")).Body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await server.GetAsync("/v2/models/two/versions/2/config")).Status);
    }

    [Fact]
    public async Task A_model_whose_requests_are_joined_says_so()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("two", TestModels.SumAndDifference), options => options with { Batching = new BatchingOptions { MaxBatchSize = 8, AllowedBatchSizes = [4, 8] } });
        string configuration = (await server.GetAsync("/v2/models/two/config")).Body;
        Assert.Contains("\"max_batch_size\":8,\"input\":[{\"name\":\"a\",\"data_type\":\"TYPE_FP32\",\"format\":\"FORMAT_NONE\",\"dims\":[2]}", configuration, StringComparison.Ordinal);
        Assert.Contains("\"dynamic_batching\":{\"preferred_batch_size\":[4,8],\"max_queue_delay_microseconds\":0}", configuration, StringComparison.Ordinal);
        await server.PostAsync("/v2/models/two/infer", """{"inputs":[{"name":"a","shape":[1,2],"datatype":"FP32","data":[1,2]},{"name":"b","shape":[1,2],"datatype":"FP32","data":[1,2]}]}""");
        string statistics = (await server.GetAsync("/v2/models/two/stats")).Body;
        Assert.Contains("\"execution_count\":1,", statistics, StringComparison.Ordinal);
        Assert.Contains("\"batch_stats\":[{\"batch_size\":4,", statistics, StringComparison.Ordinal);
    }

    [Fact]
    public void Many_threads_count_together_and_callers_cannot_make_the_sizes_grow()
    {
        var statistics = new ModelStatistics();
        var times = new PredictionTimes(TimeSpan.FromMicroseconds(10), TimeSpan.FromMicroseconds(1), TimeSpan.FromMicroseconds(2), TimeSpan.FromMicroseconds(3));
        Parallel.For(0, 10_000, i => statistics.Succeeded(i, times, DateTimeOffset.UnixEpoch.AddMilliseconds(i)));
        Parallel.For(0, 1_000, i => statistics.Failed(TimeSpan.FromMicroseconds(5), DateTimeOffset.UnixEpoch));
        Assert.Equal((10_000, 100_000_000), (statistics.Success.Count, statistics.Success.Nanoseconds));
        Assert.Equal((10_000, 40_000_000), (statistics.ComputeOutput.Count, statistics.ComputeOutput.Nanoseconds));
        Assert.Equal((1_000, 5_000_000), (statistics.Fail.Count, statistics.Fail.Nanoseconds));
        Assert.Equal(49_995_000, statistics.Inferences);
        Assert.InRange(statistics.Batches.Count, ModelStatistics.MaximumBatchSizes, ModelStatistics.MaximumBatchSizes + Environment.ProcessorCount * 4);
    }
}
