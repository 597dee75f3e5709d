using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Homomorphic.Models;
using Cloister.Homomorphic.Wire;
using Cloister.Homomorphic.Wire.Seal;
using Cloister.Sealing;
using Cloister.Serving.Tests.Server;

namespace Cloister.Serving.Tests.Encrypted;

/// <summary>Encrypted models beside an ONNX model, asked by their own client over real connections.</summary>
public sealed class EncryptedSurfaceTests
{
    [Fact]
    public async Task A_logistic_regression_answers_beside_an_onnx_model()
    {
        await using TestServer server = await TestServer.StartAsync(await StoreAsync());
        using EncryptedCaller caller = await EncryptedCaller.JoinAsync(server, "spam");
        IReadOnlyList<double[]> rows = EncryptedModels.Rows(100, seed: 3);
        IReadOnlyList<ModelAnswer> answers = await caller.AskAsync(rows);
        LinearModel model = EncryptedModels.Logistic();
        for (int i = 0; i < rows.Count; i++)
        {
            double[] score = new double[1];
            model.Score(rows[i], score);
            Assert.Equal(1 / (1 + Math.Exp(-score[0])), answers[i].Values[0], 0.05);
        }
        Assert.Equal("""{"predictions": [2.5, 3.0, 4.5]}""", Flat((await server.PostAsync("/v1/models/half:predict", """{"instances": [1.0, 2.0, 5.0]}""")).Body));
    }

    [Fact]
    public async Task A_query_with_SEALs_ciphertexts_is_answered_with_them()
    {
        await using TestServer server = await TestServer.StartAsync(await StoreAsync());
        using EncryptedCaller caller = await EncryptedCaller.JoinAsync(server, "spam");
        IReadOnlyList<double[]> rows = EncryptedModels.Rows(400, seed: 4);
        IReadOnlyList<ModelAnswer> own = await caller.AskAsync(rows);
        foreach (SealVersion version in (SealVersion[])[SealVersion.NodeSeal7, new(4, 4)])
        {
            (byte[] envelope, EnvelopeHeader header) = caller.SealQuery(rows, version);
            (HttpStatusCode status, byte[] answer) = await caller.SendAsync(envelope);
            Assert.True(status == HttpStatusCode.OK, Encoding.UTF8.GetString(answer));
            Assert.Equal(own.Select(row => row.Scores[0]), caller.OpenSeal(answer, header, version).Select(row => row.Scores[0]));
        }
        (byte[] empty, _) = caller.Wrap(BitConverter.GetBytes(1), header => header with { Kind = EnvelopeKind.SealQuery });
        Assert.Contains("error 304", await caller.RefusedAsync(empty, HttpStatusCode.BadRequest, ServingError.QueryRefused), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_forest_answers_on_the_same_server()
    {
        TestStore store = await (await StoreAsync()).AddEntriesAsync("trees", ("model.he", EncryptedModels.Bytes(() => EncryptedModels.CompileTrees())));
        await using TestServer server = await TestServer.StartAsync(store);
        using EncryptedCaller trees = await EncryptedCaller.JoinAsync(server, "trees"), spam = await EncryptedCaller.JoinAsync(server, "spam");
        IReadOnlyList<double[]> rows = EncryptedModels.Rows(3, seed: 5);
        IReadOnlyList<ModelAnswer> answers = await trees.AskAsync(rows);
        for (int i = 0; i < rows.Count; i++)
        {
            double[] score = new double[1];
            EncryptedModels.Trees().Score(rows[i], score);
            Assert.Equal(score[0], answers[i].Scores[0], 0.05);
        }
        Assert.Equal(3, (await spam.AskAsync(rows)).Count);
        // One model's query is not another's.
        (byte[] query, _) = spam.Query(rows);
        await trees.RefusedAsync(query, HttpStatusCode.Conflict, ServingError.OtherModelServed);
    }

    [Fact]
    public async Task It_is_described_as_every_model_is()
    {
        await using TestServer server = await TestServer.StartAsync(await StoreAsync());
        JsonNode metadata = JsonNode.Parse((await server.GetAsync("/v2/models/spam")).Body)!;
        Assert.Equal("cloister_homomorphic", (string)metadata["platform"]!);
        Assert.Equal("""[{"name":"query","datatype":"UINT8","shape":[-1]}]""", metadata["inputs"]!.ToJsonString());
        Assert.Equal("""[{"name":"answer","datatype":"UINT8","shape":[-1]}]""", metadata["outputs"]!.ToJsonString());
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/v2/models/spam/ready")).Status);
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/v2/models/spam/versions/1/encrypted")).Status);
        Assert.Contains("DT_UINT8", (await server.GetAsync("/v1/models/spam/metadata")).Body, StringComparison.Ordinal);
        (HttpStatusCode status, string body) = await server.GetAsync("/v2/models/half/encrypted");
        Assert.Equal((HttpStatusCode.NotImplemented, (int)ServingError.Unsupported), (status, (int)JsonNode.Parse(body)!["number"]!));
        Assert.Equal(HttpStatusCode.NotFound, (await server.GetAsync("/v2/models/spam/versions/9/encrypted")).Status);
    }

    [Fact]
    public async Task A_replayed_query_is_answered_anew_and_to_its_key_alone()
    {
        await using TestServer server = await TestServer.StartAsync(await StoreAsync());
        using EncryptedCaller caller = await EncryptedCaller.JoinAsync(server, "spam");
        IReadOnlyList<double[]> rows = EncryptedModels.Rows(3);
        (byte[] envelope, EnvelopeHeader header) = caller.Query(rows);
        (_, byte[] first) = await caller.SendAsync(envelope);
        (_, byte[] second) = await caller.SendAsync(envelope);
        Assert.NotEqual(first, second);
        Assert.Equal(caller.Open(first, header, 3).Select(answer => answer.Class), caller.Open(second, header, 3).Select(answer => answer.Class));
        // An answer is no query, and answers its own request alone.
        Assert.Contains("kind 3", await caller.RefusedAsync(first, HttpStatusCode.BadRequest, ServingError.EnvelopeMalformed), StringComparison.Ordinal);
        (_, EnvelopeHeader other) = caller.Query(rows);
        Assert.Throws<Cloister.Homomorphic.HomomorphicException>(() => caller.Open(first, other, 3));
    }

    [Fact]
    public async Task Callers_ask_at_the_same_time()
    {
        await using TestServer server = await TestServer.StartAsync(await StoreAsync());
        await Task.WhenAll(Enumerable.Range(0, 6).Select(async number =>
        {
            using EncryptedCaller caller = await EncryptedCaller.JoinAsync(server, "spam");
            for (int round = 0; round < 5; round++)
            {
                IReadOnlyList<double[]> rows = EncryptedModels.Rows(1 + number, seed: 10 * number + round);
                IReadOnlyList<ModelAnswer> answers = await caller.AskAsync(rows);
                LinearModel model = EncryptedModels.Logistic();
                for (int i = 0; i < rows.Count; i++)
                {
                    double[] score = new double[1];
                    model.Score(rows[i], score);
                    Assert.Equal(score[0], answers[i].Scores[0], 0.1);
                }
            }
        }));
    }

    [Fact]
    public async Task Servers_with_one_master_share_their_clients()
    {
        using SecretBytes master = SecretBytes.Random(32);
        TestStore one = await StoreAsync(), two = await StoreAsync();
        (one.EnvelopeMaster, two.EnvelopeMaster) = (master, master);
        await using TestServer first = await TestServer.StartAsync(one), second = await TestServer.StartAsync(two), stranger = await TestServer.StartAsync(await StoreAsync());
        using EncryptedCaller caller = await EncryptedCaller.JoinAsync(first, "spam");
        (byte[] envelope, EnvelopeHeader header) = caller.Query(EncryptedModels.Rows(2));
        using var content = new ByteArrayContent(envelope);
        using HttpResponseMessage answer = await second.Client.PostAsync("/v2/models/spam/encrypted/infer", content);
        Assert.Equal(2, caller.Open(await answer.Content.ReadAsByteArrayAsync(), header, 2).Count);
        using var again = new ByteArrayContent(envelope);
        using HttpResponseMessage refused = await stranger.Client.PostAsync("/v2/models/spam/encrypted/infer", again);
        Assert.Equal((int)ServingError.EnvelopeRefused, (int)JsonNode.Parse(await refused.Content.ReadAsStringAsync())!["number"]!);
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"keyId":"00"}""")]
    [InlineData("""{"keyId":"000102030405060708090A0B0C0D0E0F"}""")]
    [InlineData("""{"keyId":"000102030405060708090a0b0c0d0e0f","more":1}""")]
    [InlineData("""{"keyId":"000102030405060708090a0b0c0d0e0f","keyId":"000102030405060708090a0b0c0d0e0f"}""")]
    [InlineData("""[]""")]
    [InlineData("""{"keyId":"000102030405060708090a0b0c0d0e0f"} x""")]
    public async Task A_registration_that_is_none_is_refused(string json)
    {
        await using TestServer server = await TestServer.StartAsync(await StoreAsync());
        using EncryptedCaller caller = await EncryptedCaller.JoinAsync(server, "spam");
        Assert.Equal(HttpStatusCode.BadRequest, (await caller.RegisterAsync(json)).Status);
    }

    internal static async Task<TestStore> StoreAsync(TestStore? store = null)
    {
        store ??= new TestStore();
        await store.AddAsync("half", TestModels.HalfPlusTwo);
        return await store.AddEntriesAsync("spam", ("model.he", EncryptedModels.Bytes(() => EncryptedModels.CompileLogistic())));
    }

    private static string Flat(string json) => Encoding.UTF8.GetString([.. Encoding.UTF8.GetBytes(json).Where(c => c is not (byte)'\n')]).Replace("    ", "", StringComparison.Ordinal);
}
