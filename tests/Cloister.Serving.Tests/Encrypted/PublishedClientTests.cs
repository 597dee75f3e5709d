using Cloister.Client;
using Cloister.Homomorphic.Models;
using Cloister.Serving.Tests.Server;

namespace Cloister.Serving.Tests.Encrypted;

/// <summary>The client that is published, over real connections: both sides of the wire, each written by its document.</summary>
public sealed class PublishedClientTests
{
    [Fact]
    public async Task Linear_models_and_forests_are_asked()
    {
        TestStore store = await (await EncryptedSurfaceTests.StoreAsync()).AddEntriesAsync("trees", ("model.he", EncryptedModels.Bytes(() => EncryptedModels.CompileTrees())));
        store = await store.AddEntriesAsync("hidden", ("model.he", EncryptedModels.Bytes(() => EncryptedModels.CompileLogistic(circuitPrivacy: true))));
        await using TestServer server = await TestServer.StartAsync(store);
        using EncryptedModelClient client = ClientOf(server);
        IReadOnlyList<double[]> rows = EncryptedModels.Rows(5, seed: 3);
        foreach ((string name, PlainModel model) in new (string, PlainModel)[] { ("spam", EncryptedModels.Logistic()), ("hidden", EncryptedModels.Logistic()), ("trees", EncryptedModels.Trees()) })
        {
            ClientSpecification specification = await client.DescribeAsync(name);
            using EncryptedSession session = client.Open(name, specification);
            IReadOnlyList<ModelAnswer> answers = await session.PredictAsync(rows);
            for (int i = 0; i < rows.Count; i++)
            {
                double[] score = new double[1];
                model.Score(rows[i], score);
                Assert.Equal(score[0], answers[i].Scores[0], 0.1);
            }
        }
    }

    [Fact]
    public async Task A_server_that_was_started_again_has_forgotten_the_key_and_is_asked_again()
    {
        await using TestServer first = await TestServer.StartAsync(await EncryptedSurfaceTests.StoreAsync()), second = await TestServer.StartAsync(await EncryptedSurfaceTests.StoreAsync());
        var switching = new SwitchingHandler(first) { InnerHandler = HandlerOf(first, second) };
        using var client = new EncryptedModelClient(switching, new Uri("https://localhost"));
        using EncryptedSession session = client.Open("spam", await client.DescribeAsync("spam"));
        IReadOnlyList<double[]> rows = EncryptedModels.Rows(2);
        Assert.Equal(2, (await session.PredictAsync(rows)).Count);
        switching.Server = second;
        Assert.Equal(2, (await session.PredictAsync(rows)).Count);
        Assert.Equal(["GET /v2/models/spam/encrypted", "POST /keys", "POST /infer", "POST /infer", "POST /keys", "POST /infer"], switching.Asked);
    }

    [Fact]
    public async Task More_rows_than_one_query_holds_are_asked_in_parts_that_the_server_takes()
    {
        TestStore store = await (await EncryptedSurfaceTests.StoreAsync()).AddEntriesAsync("trees", ("model.he", EncryptedModels.Bytes(() => EncryptedModels.CompileTrees())));
        await using TestServer server = await TestServer.StartAsync(store);
        using EncryptedModelClient client = ClientOf(server);
        foreach ((string name, int rows) in new[] { ("spam", 25_000), ("trees", 70) })
        {
            using EncryptedSession session = client.Open(name, await client.DescribeAsync(name));
            Assert.Equal(rows, (await session.PredictAsync(EncryptedModels.Rows(rows))).Count);
        }
    }

    [Fact]
    public async Task A_model_that_is_not_encrypted_is_refused_with_the_servers_reason()
    {
        await using TestServer server = await TestServer.StartAsync(await EncryptedSurfaceTests.StoreAsync());
        using EncryptedModelClient client = ClientOf(server);
        var refused = await Assert.ThrowsAsync<ClientException>(() => client.DescribeAsync("half"));
        Assert.Equal((ClientError.RefusedByServer, ((int)ServingError.Unsupported).ToString(System.Globalization.CultureInfo.InvariantCulture)), (refused.Error, refused.ServerCode));
    }

    private static EncryptedModelClient ClientOf(TestServer server) => new(HandlerOf(server), server.Host.Address);

    private static SocketsHttpHandler HandlerOf(params TestServer[] servers)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, presented, _, _) => servers.Any(server => server.IsOwn(presented));
        return handler;
    }

    private sealed class SwitchingHandler(TestServer server) : DelegatingHandler
    {
        public TestServer Server { get; set; } = server;

        public List<string> Asked { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            string path = request.RequestUri!.AbsolutePath;
            Asked.Add($"{request.Method} {(request.Method == HttpMethod.Get ? path : path[path.LastIndexOf('/')..])}");
            request.RequestUri = new Uri(Server.Host.Address, path);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
