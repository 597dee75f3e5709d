using System.Net;
using System.Security.Cryptography.X509Certificates;
using Cloister.Workload;

namespace Cloister.Serving.Tests.Server;

public sealed class CallerTests
{
    private const string V2 = """{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}""", V1 = """{"instances":[1]}""";

    [Fact]
    public async Task A_token_opens_the_models_that_its_caller_may_use()
    {
        await using TestServer server = await TestServer.StartAsync(await StoreAsync());
        Assert.Equal((HttpStatusCode.OK, ""), await AskAsync(server, "/v2/models/half/infer", V2, "Bearer alice's secret"));
        Assert.Equal((HttpStatusCode.OK, ""), await AskAsync(server, "/v1/models/half:predict", V1, "bearer   alice's secret"));
        Assert.Equal((HttpStatusCode.Forbidden, """{"error":"Caller 'alice' may not use model 'other'; the manifest's operator can allow it."}"""),
            await AskAsync(server, "/v2/models/other/infer", V2, "Bearer alice's secret"));
        Assert.Equal((HttpStatusCode.Forbidden, "{\n    \"error\": \"Caller 'alice' may not use model 'other'; the manifest's operator can allow it.\"\n}"),
            await AskAsync(server, "/v1/models/other:predict", V1, "Bearer alice's secret"));
        Assert.Equal((HttpStatusCode.OK, ""), await AskAsync(server, "/v2/models/open/infer", V2, "Bearer alice's secret"));
    }

    [Fact]
    public async Task Without_a_known_caller_only_open_models_answer()
    {
        await using TestServer server = await TestServer.StartAsync(await StoreAsync());
        Assert.Equal((HttpStatusCode.OK, ""), await AskAsync(server, "/v2/models/open/infer", V2, null));
        const string Closed = "Model 'half' is not open to anybody: send a bearer token or a client certificate that the manifest names.";
        Assert.Equal((HttpStatusCode.Unauthorized, $$"""{"error":"{{Closed}}"}"""), await AskAsync(server, "/v2/models/half/infer", V2, null));
        Assert.Equal((HttpStatusCode.Unauthorized, $"{{\n    \"error\": \"{Closed}\"\n}}"), await AskAsync(server, "/v1/models/half:predict", V1, null));
        foreach (string wrong in new[] { "Bearer alice's secre", "Bearer alice's secret2", "Basic alice's secret", "Bearer", "Bearer ", "Bearer " + new string('a', 10_000) })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync(server, "/v2/models/half/infer", V2, wrong)).Status);
            // A credential that is wrong is not passed over, even where none is needed.
            Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync(server, "/v2/models/open/infer", V2, wrong)).Status);
        }
    }

    [Fact]
    public async Task A_refusal_says_how_to_authenticate_and_metadata_is_the_owner_s()
    {
        await using TestServer server = await TestServer.StartAsync(await StoreAsync());
        foreach (string path in new[] { "/v2/models/half", "/v1/models/half/metadata" })
        {
            using HttpResponseMessage refused = await server.Client.GetAsync(path);
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
            Assert.Equal("Bearer realm=\"cloister\"", refused.Headers.WwwAuthenticate.ToString());
        }
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/v2/models/half/ready")).Status);
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/v1/models/half")).Status);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_client_certificate_opens_the_models_that_its_caller_may_use(bool http2)
    {
        using X509Certificate2 bob = TestCertificates.Create("bob"), stranger = TestCertificates.Create("bob");
        await using TestServer server = await TestServer.StartAsync((await StoreAsync()).AllowCertificate("bob", bob.RawData, "half"));
        using HttpClient known = server.CreateClient(bob, http2), unknown = server.CreateClient(stranger, http2);
        Assert.Equal(HttpStatusCode.OK, (await known.PostAsync("/v2/models/half/infer", new StringContent(V2))).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await known.PostAsync("/v2/models/other/infer", new StringContent(V2))).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await unknown.PostAsync("/v2/models/half/infer", new StringContent(V2))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await unknown.PostAsync("/v2/models/open/infer", new StringContent(V2))).StatusCode);
    }

    [Fact]
    public void A_caller_needs_exactly_one_credential()
    {
        byte[] digest = new byte[32], certificate = new byte[100];
        Refused(new("a", default, default, []));
        Refused(new("a", certificate, digest, []));
        Refused(new("a", default, new byte[31], []));
        static void Refused(CallerGrant grant) =>
            Assert.Throws<ArgumentException>(() => new Cloister.Serving.Callers.CallerRegistry(new CallerRights([grant], []), TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance));
    }

    private static async Task<TestStore> StoreAsync()
    {
        var store = new TestStore();
        foreach (string name in new[] { "half", "other", "open" }) await store.AddAsync(name, TestModels.HalfPlusTwo);
        store.Anonymous.Clear();
        store.Anonymous.Add("open");
        return store.AllowToken("alice", "alice's secret", "half").AllowToken("carol", "carol's secret", "half", "other");
    }

    private static async Task<(HttpStatusCode Status, string Error)> AskAsync(TestServer server, string path, string body, string? authorization)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body) };
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
        using HttpResponseMessage response = await server.Client.SendAsync(request);
        string answer = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, response.IsSuccessStatusCode ? "" : answer);
    }
}
