using System.Net;
using System.Text;
using Cloister.Homomorphic.Wire;
using Cloister.Serving.Encrypted;
using Cloister.Serving.Tests.Server;

namespace Cloister.Serving.Tests.Encrypted;

/// <summary>What a sealed file with a compiled model may hold, and versions of it.</summary>
public sealed class SealedCompiledModelTests
{
    private static readonly byte[] s_model = EncryptedModels.Bytes(() => EncryptedModels.CompileLogistic());

    [Theory]
    [InlineData("""{"batching":true}""", "batching")]
    [InlineData("""{"batching":{"maxBatchSize":8}}""", "batching")]
    [InlineData("""{"warmup":"zeros"}""", "warmup")]
    [InlineData("""{"preprocess":"unit"}""", "preprocess")]
    [InlineData("""{"threads":2}""", "threads")]
    [InlineData("""{"weights":"packed"}""", "weights")]
    public async Task A_configuration_that_asks_for_what_it_cannot_do_is_refused(string configuration, string member)
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddEntriesAsync("spam", ("model.he", s_model), ("config.json", Encoding.UTF8.GetBytes(configuration))));
        Unavailable(server, $"an encrypted model has no '{member}'");
    }

    [Fact]
    public async Task Its_queue_time_and_concurrency_are_its_makers()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddEntriesAsync("spam", ("model.he", s_model),
            ("config.json", """{"queueLimit":3,"concurrency":1,"timeoutMilliseconds":60000,"batching":false}"""u8.ToArray())));
        using EncryptedCaller caller = await EncryptedCaller.JoinAsync(server, "spam");
        Assert.Single(await caller.AskAsync(EncryptedModels.Rows(1)));
    }

    [Fact]
    public async Task An_operators_batches_leave_it_alone()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddEntriesAsync("spam", ("model.he", s_model)), options => options with { Batching = new BatchingOptions() });
        using EncryptedCaller caller = await EncryptedCaller.JoinAsync(server, "spam");
        Assert.Single(await caller.AskAsync(EncryptedModels.Rows(1)));
    }

    [Theory]
    [InlineData("labels.txt")]
    [InlineData("warmup.jsonl")]
    [InlineData("model.onnx")]
    [InlineData("weights.bin")]
    public async Task Nothing_else_lies_beside_it(string entry)
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddEntriesAsync("spam", ("model.he", s_model), (entry, "x"u8.ToArray())));
        Unavailable(server, $"holds an entry '{entry}' beside model.he");
    }

    [Fact]
    public async Task A_compiled_model_that_is_none_is_refused()
    {
        foreach (byte[] bytes in (byte[][])[[], "x"u8.ToArray(), s_model[..^1], [.. s_model, 0], [.. s_model[..40], (byte)(s_model[40] ^ 1), .. s_model[41..]]])
        {
            await using TestServer server = await TestServer.StartAsync(await new TestStore().AddEntriesAsync("spam", ("model.he", bytes)));
            Unavailable(server, "model.he is refused");
        }
        Assert.False(CompiledModelEntry.Recognises("\x08\x07"u8));
        Assert.True(CompiledModelEntry.Recognises(s_model));
    }

    [Fact]
    public async Task Another_version_takes_over_and_clients_are_told()
    {
        TestStore store = await new TestStore().AddEntriesAsync("spam", ("model.he", s_model));
        store.Change("spam", grant => grant with { Digest = "" });
        await using TestServer server = await TestServer.StartAsync(store, options => options with { Repository = new RepositoryOptions { PollInterval = TimeSpan.FromMilliseconds(50) } });
        using EncryptedCaller caller = await EncryptedCaller.JoinAsync(server, "spam");
        Assert.Equal(2, (await caller.AskAsync(EncryptedModels.Rows(2))).Count);
        await store.ReplaceAsync("spam", 2, EncryptedModels.Bytes(() => EncryptedModels.CompileLogistic(seed: 2)), "model.he");
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while ((await server.GetAsync("/v2/models/spam/versions/2/ready")).Status != HttpStatusCode.OK) await Task.Delay(50, patience.Token);
        string text = await caller.RefusedAsync(caller.Query(EncryptedModels.Rows(2)).Envelope, HttpStatusCode.Conflict, ServingError.OtherModelServed);
        using EncryptedCaller next = await EncryptedCaller.JoinAsync(server, "spam");
        Assert.Contains($"served is {next.Client.Specification.Digest}. Fetch its specification", text, StringComparison.Ordinal);
        double[] score = new double[1];
        EncryptedModels.Logistic(seed: 2).Score(EncryptedModels.Rows(1)[0], score);
        Assert.Equal(score[0], (await next.AskAsync(EncryptedModels.Rows(1)))[0].Scores[0], 0.1);
    }

    [Fact]
    public void A_query_has_a_largest_size()
    {
        using Homomorphic.Models.CompiledModel model = EncryptedModels.CompileLogistic();
        long largest = QuerySizes.Largest(model);
        Assert.InRange(largest, Envelope.Overhead + QuerySizes.MostSets * 16L * model.Client.Parameters.Degree, 20 << 20);
    }

    private static void Unavailable(TestServer server, string reason)
    {
        (string _, ModelState state, string? why) = Assert.Single(server.Host.Models);
        Assert.Equal(ModelState.Unavailable, state);
        Assert.Contains(reason, why, StringComparison.Ordinal);
    }
}
