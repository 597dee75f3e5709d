using Cloister.Onnx.Model;
using Cloister.Onnx.Runtime;
using Cloister.Onnx.Tests.Runtime;
using Cloister.Serving.Batching;
using Cloister.Serving.Engines;
using Cloister.Serving.Execution;
using Cloister.Serving.Tests.Server;
using Cloister.Tests;

namespace Cloister.Serving.Tests.Batching;

/// <summary>Real models: which of them keep the items of a batch apart.</summary>
public sealed class BatchProbeTests
{
    private static readonly HandmadeModel Matrix = Floats(2).Inline("w", 1, [4, 3], 1f, -2f, 3f, 0.5f, 0.25f, -1f, 2f, 2f, 2f, 0f, 1f, -3f);

    [Fact]
    public async Task Models_that_compute_item_by_item_may_be_joined()
    {
        Assert.Null(await Problem(TestModels.HalfPlusTwo));
        Assert.Null(await Problem(TestModels.SumAndDifference));
        Assert.Null(await Problem(TestModels.PictureMean));
        Assert.Null(await Problem(TestModels.Identity(7)));
        Assert.Null(await Problem(Matrix.Node("MatMul", ["x", "w"], ["m"]).Node("Softmax", ["m"], ["y"], HandmadeModel.Int("axis", -1)).Output("y", 1, -1, 3).ToBytes()));
    }

    [Fact]
    public async Task A_mean_over_the_batch_is_found() =>
        Assert.Contains("change each other", await Problem(Floats(2).Node("ReduceMean", ["x"], ["m"], HandmadeModel.Ints("axes", 0), HandmadeModel.Int("keepdims", 1)).Node("Sub", ["x", "m"], ["y"]).Output("y", 1, -1, 4).ToBytes()), StringComparison.Ordinal);

    [Fact]
    public async Task A_softmax_over_the_batch_is_found() =>
        Assert.Contains("change each other", await Problem(Floats(2).Node("Softmax", ["x"], ["y"], HandmadeModel.Int("axis", 0)).Output("y", 1, -1, 4).ToBytes()), StringComparison.Ordinal);

    [Fact]
    public async Task A_scale_that_is_found_at_run_time_is_found() =>
        Assert.Contains("change each other", await Problem(Floats(2).Node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]).Node("DequantizeLinear", ["q", "s", "z"], ["y"]).Output("y", 1, -1, 4).ToBytes()), StringComparison.Ordinal);

    [Fact]
    public async Task An_output_of_another_length_is_found() =>
        Assert.NotNull(await Problem(Floats(2).Node("ReduceMean", ["x"], ["y"], HandmadeModel.Ints("axes", 0), HandmadeModel.Int("keepdims", 1)).Output("y", 1, -1, 4).ToBytes()));

    [Fact]
    public async Task A_batch_that_is_turned_round_is_found() =>
        Assert.NotNull(await Problem(Floats(2).Node("Transpose", ["x"], ["y"], HandmadeModel.Ints("perm", 1, 0)).Output("y", 1, -1, -1).ToBytes()));

    [Fact]
    public async Task What_the_model_declares_is_enough_to_refuse()
    {
        Assert.Contains("no free first dimension", await Problem(new HandmadeModel().Input("x", 1, 2, 4).Node("Relu", ["x"], ["y"]).Output("y", 1, 2, 4).ToBytes()), StringComparison.Ordinal);
        Assert.Contains("no free first dimension", await Problem(TestModels.Loop), StringComparison.Ordinal);
        Assert.Contains("texts", await Problem(TestModels.TextIdentity), StringComparison.Ordinal);
    }

    [SharedDataFact]
    public async Task Real_models_with_a_fixed_batch_are_left_alone() =>
        Assert.NotNull(await Problem(await File.ReadAllBytesAsync(TestData.Path("models/vision/mnist.onnx"))));

    [Fact]
    public async Task Requests_are_joined_on_a_server_where_the_maker_says_so_and_each_gets_its_own_answer()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("half", TestModels.HalfPlusTwo, """{"batching":{"maxBatchSize":32,"batchTimeoutMicroseconds":500,"allowedBatchSizes":[4,32],"maxEnqueuedBatches":100}}"""));
        await Task.WhenAll(Enumerable.Range(0, 16).Select(async worker =>
        {
            var random = new Random(worker);
            for (int i = 0; i < 40; i++)
            {
                int[] values = [.. Enumerable.Range(0, random.Next(1, 50)).Select(_ => random.Next(1000) * 2)];
                (System.Net.HttpStatusCode status, string body) = await server.PostAsync("/v2/models/half/infer", $$"""{"inputs":[{"name":"x","shape":[{{values.Length}}],"datatype":"FP32","data":[{{string.Join(',', values)}}]}]}""");
                Assert.True(status == System.Net.HttpStatusCode.OK, body);
                Assert.Contains($"\"data\":[{string.Join(',', values.Select(value => value / 2 + 2))}]", body, StringComparison.Ordinal);
            }
        }));
    }

    [Fact]
    public void The_operator_s_sizes_take_the_place_of_the_maker_s_but_not_of_its_refusal()
    {
        var operators = new BatchingOptions { MaxBatchSize = 7 };
        BatchingSetting maker = Setting("""{"batching":{"allowedBatchSizes":[1,8,16],"maxEnqueuedBatches":3,"threads":1,"splitLargeRequests":false,"waitWhenIdle":true}}""");
        Assert.Equal(new BatchingOptions { MaxBatchSize = 16, AllowedBatchSizes = [1, 8, 16], MaxEnqueuedBatches = 3, Threads = 1, SplitLargeRequests = false, WaitWhenIdle = true }, maker.With(null));
        Assert.Equal(operators, maker.With(operators));
        Assert.Null(Setting("""{"batching":false}""").With(operators));
        Assert.Equal(new BatchingOptions(), Setting("""{"batching":true}""").With(null));
    }

    [Theory]
    [InlineData("""{"batching":{"maxBatchSize":0}}"""), InlineData("""{"batching":{"maxBatchSize":4,"allowedBatchSizes":[8]}}"""), InlineData("""{"batching":{"allowedBatchSizes":[4,2]}}""")]
    [InlineData("""{"batching":{"size":4}}"""), InlineData("""{"batching":[]}"""), InlineData("""{"batching":{"threads":0}}"""), InlineData("""{"concurrency":0}""")]
    public void Settings_that_make_no_sense_are_refused(string document) =>
        Assert.Equal(ServingError.ConfigurationRefused, Assert.Throws<ServingException>(() => Cloister.Serving.Repository.ModelConfiguration.Read(System.Text.Encoding.UTF8.GetBytes(document))).Error);

    [Fact]
    public void Only_a_model_whose_time_no_request_can_change_is_steady()
    {
        Assert.True(SteadyModel.Is(OnnxModel.Parse(new HandmadeModel().Input("x", 1, 2, 4).Node("Relu", ["x"], ["y"]).Output("y", 1, 2, 4).ToBytes())));
        Assert.True(SteadyModel.Is(OnnxModel.Parse(TestModels.HalfPlusTwo))); // for one item
        Assert.False(SteadyModel.Is(OnnxModel.Parse(TestModels.Identity(1)))); // free in its second dimension
        Assert.False(SteadyModel.Is(OnnxModel.Parse(TestModels.Loop)));
        Assert.False(SteadyModel.Is(OnnxModel.Parse(new HandmadeModel().Input("x", 1, 2, 4).Node("Unheard", ["x"], ["y"]).Output("y", 1, 2, 4).ToBytes())));
    }

    private static HandmadeModel Floats(int rank) => new HandmadeModel().Input("x", 1, [.. Enumerable.Repeat(-1, 1), .. Enumerable.Repeat(4, rank - 1)]);

    private static BatchingSetting Setting(string document) => Cloister.Serving.Repository.ModelConfiguration.Read(System.Text.Encoding.UTF8.GetBytes(document)).Batching!;

    private static async Task<string?> Problem(byte[] model)
    {
        await using var executor = new InferenceExecutor(new ExecutorOptions { Threads = 1 }, TimeProvider.System);
        using var pool = new TensorPool(1 << 20);
        await using var engine = new OnnxEngine(OrtSession.FromMemory(model), executor.CreateLane(), pool);
        return await BatchProbe.FindProblemAsync(engine, pool, default);
    }
}
