using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Serving.Tests.Server;
using Cloister.Workload;

namespace Cloister.Serving.Tests.Callers;

/// <summary>401, 403, 429 and 503 of a real server, in the shape of each surface; and rights that change while it runs.</summary>
public sealed class SurfaceTests
{
    private const string V2 = """{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}""", V1 = """{"instances":[1]}""";
    private const string Endless = """{"inputs":[{"name":"rounds","shape":[],"datatype":"INT64","data":[9223372036854775807]},{"name":"x","shape":[1],"datatype":"FP32","data":[0]}]}""";

    [Fact]
    public async Task Every_surface_refuses_in_its_own_shape()
    {
        using TokenSigner signer = new("ES256"), stranger = new("ES256");
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        TestStore store = await StoreAsync();
        store.Issuers.Add(CallerScene.Issuer(TokenSigner.Set(signer)));
        store.Callers.Add(CallerScene.TokenCaller("alice", "login", ("sub", ["alice"])) with { Models = ["half"] });
        await using TestServer server = await TestServer.StartAsync(store);
        string good = signer.Sign(TokenSigner.Claims(now)), bad = stranger.Sign(TokenSigner.Claims(now)), late = signer.Sign(TokenSigner.Claims(now.AddHours(-2)));

        foreach ((string? token, string model, HttpStatusCode status, string grpc, string? challenge) in new[]
        {
            (good, "half", HttpStatusCode.OK, "0", null),
            (null, "half", HttpStatusCode.Unauthorized, "16", "Bearer realm=\"cloister\""),
            (bad, "half", HttpStatusCode.Unauthorized, "16", "Bearer realm=\"cloister\", error=\"invalid_token\""),
            (late, "half", HttpStatusCode.Unauthorized, "16", "Bearer realm=\"cloister\", error=\"invalid_token\""),
            (bad, "open", HttpStatusCode.Unauthorized, "16", "Bearer realm=\"cloister\", error=\"invalid_token\""),
            (good, "other", HttpStatusCode.Forbidden, "7", "Bearer realm=\"cloister\", error=\"insufficient_scope\""),
            (good, "open", HttpStatusCode.OK, "0", null),
        })
        {
            (HttpResponseMessage oip, string oipBody) = await AskAsync(server.Client, $"/v2/models/{model}/infer", V2, token);
            (HttpResponseMessage tf, string tfBody) = await AskAsync(server.Client, $"/v1/models/{model}:predict", V1, token);
            Assert.Equal((status, status), (oip.StatusCode, tf.StatusCode));
            if (challenge is not null)
            {
                Assert.Equal(challenge, oip.Headers.GetValues("WWW-Authenticate").Single());
                Assert.Equal(challenge, tf.Headers.GetValues("WWW-Authenticate").Single());
                Assert.StartsWith("{\"error\":\"", oipBody, StringComparison.Ordinal);
                Assert.StartsWith("{\n    \"error\": \"", tfBody, StringComparison.Ordinal);
                if (token is not null) Assert.DoesNotContain(token.Split('.')[2], oipBody + tfBody, StringComparison.Ordinal);
            }
            Assert.Equal(grpc, await GrpcAsync(server, "ModelMetadata", model, token));
        }
    }

    [Fact]
    public async Task A_quota_is_429_everywhere_and_says_when_to_come_again()
    {
        TestStore store = await StoreAsync();
        store.Callers.Add(Caller("anna", "anna's", new LimitsGrant("") { Requests = 3, Interval = TimeSpan.FromDays(1) }));
        store.Callers.Add(Caller("bert", "bert's", new LimitsGrant("") { Elements = 5, Interval = TimeSpan.FromDays(1) }));
        store.AnonymousLimits.Add(new LimitsGrant("") { Requests = 1, Interval = TimeSpan.FromDays(1) });
        await using TestServer server = await TestServer.StartAsync(store);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(server.Client, "/v2/models/half/infer", V2, "anna's")).Response.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(server.Client, "/v1/models/half:predict", V1, "anna's")).Response.StatusCode);
        Assert.Equal("0", await GrpcAsync(server, "ModelMetadata", "half", "anna's"));
        (HttpResponseMessage oip, string body) = await AskAsync(server.Client, "/v2/models/half/infer", V2, "anna's");
        Assert.Equal((HttpStatusCode.TooManyRequests, """{"error":"The quota is used up: caller 'anna' may send 3 requests in 86400 s."}"""), (oip.StatusCode, body));
        Assert.InRange(oip.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1));
        (HttpResponseMessage tf, body) = await AskAsync(server.Client, "/v1/models/half:predict", V1, "anna's");
        Assert.Equal((HttpStatusCode.TooManyRequests, "{\n    \"error\": \"The quota is used up: caller 'anna' may send 3 requests in 86400 s.\"\n}"), (tf.StatusCode, body));
        Assert.Equal("8", await GrpcAsync(server, "ModelMetadata", "half", "anna's"));

        Assert.Equal(HttpStatusCode.OK, (await AskAsync(server.Client, "/v1/models/half:predict", """{"instances":[1,2,3]}""", "bert's")).Response.StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await AskAsync(server.Client, "/v1/models/half:predict", """{"instances":[1,2,3]}""", "bert's")).Response.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(server.Client, "/v2/models/half/infer", V2, "bert's")).Response.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(server.Client, "/v2/models/open/infer", V2, null)).Response.StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await AskAsync(server.Client, "/v2/models/open/infer", V2, null)).Response.StatusCode);
    }

    [Fact]
    public async Task A_place_is_free_again_however_the_request_ended()
    {
        var store = new TestStore();
        await store.AddAsync("loop", TestModels.Loop);
        store.Anonymous.Clear();
        store.Callers.Add(new CallerGrant("anna", default, SHA256.HashData("anna's"u8), ["loop"]) { Limits = [new LimitsGrant("") { Concurrent = 1 }] });
        await using TestServer server = await TestServer.StartAsync(store);
        foreach ((string path, string body, HttpStatusCode status) in new[]
        {
            ("/v2/models/loop/infer", "not JSON", HttpStatusCode.BadRequest),
            ("/v2/models/loop/infer", "{}", HttpStatusCode.BadRequest),
            ("/v2/models/loop/versions/9/infer", Endless, HttpStatusCode.NotFound),
            ("/v1/models/loop:predict", "not JSON", HttpStatusCode.BadRequest),
            ("/v2/models/loop/infer", Endless.Insert(1, "\"parameters\":{\"timeout\":20000},"), HttpStatusCode.GatewayTimeout),
        })
            Assert.Equal(status, (await AskAsync(server.Client, path, body, "anna's")).Response.StatusCode);
        for (int i = 0; i < 3; i++)
        {
            using var leave = new CancellationTokenSource();
            Task<(HttpResponseMessage, string)> runs = AskAsync(server.Client, "/v2/models/loop/infer", Endless, "anna's", leave.Token);
            await UntilAsync(async () => (await AskAsync(server.Client, "/v2/models/loop", null, "anna's")).Response.StatusCode == HttpStatusCode.TooManyRequests);
            await leave.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => runs);
            await UntilAsync(async () => (await AskAsync(server.Client, "/v2/models/loop", null, "anna's")).Response.StatusCode == HttpStatusCode.OK);
        }
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Rights_change_on_open_connections_and_what_is_under_way_goes_on(bool http2)
    {
        TestStore store = await StoreAsync();
        await store.AddAsync("loop", TestModels.Loop);
        store.Anonymous.Remove("loop");
        CallerGrant Anna(string token) => Caller("anna", token, new LimitsGrant("loop") { Concurrent = 1 }) with { Models = ["half", "loop"] };
        store.Callers.Add(Anna("old"));
        using TokenSigner first = new("ES256"), second = new("ES256");
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        store.Issuers.Add(CallerScene.Issuer(TokenSigner.Set(first)));
        store.Callers.Add(CallerScene.TokenCaller("alice", "login", ("sub", ["alice"])) with { Models = ["half"] });
        await using TestServer server = await TestServer.StartAsync(store);
        using HttpClient client = server.CreateClient(http2: http2);
        async Task<HttpStatusCode> Half(string token) => (await AskAsync(client, "/v2/models/half/infer", V2, token)).Response.StatusCode;
        string before = first.Sign(TokenSigner.Claims(now)), after = second.Sign(TokenSigner.Claims(now));
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Unauthorized, HttpStatusCode.OK, HttpStatusCode.Unauthorized), (await Half("old"), await Half("new"), await Half(before), await Half(after)));

        using var leave = new CancellationTokenSource();
        Task<(HttpResponseMessage, string)> runs = AskAsync(client, "/v2/models/loop/infer", Endless, "old", leave.Token);
        await UntilAsync(async () => (await AskAsync(client, "/v2/models/loop", null, "old")).Response.StatusCode == HttpStatusCode.TooManyRequests);
        CallerRights rights = store.Rights;
        server.Host.UpdateRights(rights with { Callers = [Anna("new"), rights.Callers[1]], TokenIssuers = [CallerScene.Issuer(TokenSigner.Set(second))] });
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK, HttpStatusCode.Unauthorized, HttpStatusCode.OK), (await Half("old"), await Half("new"), await Half(before), await Half(after)));
        // It keeps its place, too.
        Assert.Equal(HttpStatusCode.TooManyRequests, (await AskAsync(client, "/v2/models/loop", null, "new")).Response.StatusCode);
        Assert.False(runs.IsCompleted);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => runs);
    }

    [Fact]
    public async Task Only_an_administrator_loads_and_unloads()
    {
        TestStore store = await StoreAsync();
        store.Callers.Add(Caller("anna", "anna's"));
        store.Callers.Add(Caller("root", "root's") with { Models = [], Administers = ["models"] });
        await using TestServer server = await TestServer.StartAsync(store, options => options with { Repository = options.Repository with { AllowChanges = true } });
        async Task<HttpStatusCode> Unload(string? token) => (await AskAsync(server.Client, "/v2/repository/models/half/unload", "{}", token)).Response.StatusCode;
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden, HttpStatusCode.OK), (await Unload(null), await Unload("anna's"), await Unload("root's")));
        // To administer is not to use.
        Assert.Equal(HttpStatusCode.Forbidden, (await AskAsync(server.Client, "/v2/models/other/infer", V2, "root's")).Response.StatusCode);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_certificate_of_an_authority_works_over_real_tls(bool http2)
    {
        using ECDsa authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256), key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authorityRequest = new CertificateRequest("CN=clients", authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 authority = authorityRequest.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        X509Certificate2 Issue(string name, DateTimeOffset until)
        {
            var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], false));
            using X509Certificate2 bare = request.Create(authority, now.AddHours(-2), until, RandomNumberGenerator.GetBytes(8));
            using X509Certificate2 joined = bare.CopyWithPrivateKey(key);
            return X509CertificateLoader.LoadPkcs12(joined.Export(X509ContentType.Pkcs12), null);
        }

        TestStore store = await StoreAsync();
        store.Callers.Add(new CallerGrant("web", default, default, ["half"]) { CertificateFrom = new CertificateRuleGrant(authority.RawData) { CommonName = "web" } });
        await using TestServer server = await TestServer.StartAsync(store);
        foreach ((string name, DateTimeOffset until, HttpStatusCode status) in new[] { ("web", now.AddHours(2), HttpStatusCode.OK), ("other", now.AddHours(2), HttpStatusCode.Unauthorized), ("web", now.AddHours(-1), HttpStatusCode.Unauthorized) })
        {
            using X509Certificate2 certificate = Issue(name, until);
            using HttpClient client = server.CreateClient(certificate, http2);
            for (int i = 0; i < 2; i++) Assert.Equal(status, (await AskAsync(client, "/v2/models/half/infer", V2, null)).Response.StatusCode);
        }
    }

    private static CallerGrant Caller(string name, string token, params LimitsGrant[] limits) =>
        new(name, default, SHA256.HashData(Encoding.UTF8.GetBytes(token)), ["half"]) { Limits = limits };

    private static async Task<TestStore> StoreAsync()
    {
        var store = new TestStore();
        foreach (string name in new[] { "half", "other", "open" }) await store.AddAsync(name, TestModels.HalfPlusTwo);
        store.Anonymous.Clear();
        store.Anonymous.Add("open");
        return store;
    }

    private static async Task<(HttpResponseMessage Response, string Body)> AskAsync(HttpClient client, string path, string? body, string? token, CancellationToken cancellation = default)
    {
        using var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, path) { Version = client.DefaultRequestVersion, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        if (body is not null) request.Content = new StringContent(body);
        if (token is not null) request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        HttpResponseMessage response = await client.SendAsync(request, cancellation);
        return (response, await response.Content.ReadAsStringAsync(cancellation));
    }

    // A unary call by hand: the metadata "authorization" is the header.
    private static async Task<string> GrpcAsync(TestServer server, string method, string model, string? token)
    {
        using HttpClient client = server.CreateClient(http2: true);
        byte[] name = Encoding.UTF8.GetBytes(model), message = [0x0A, (byte)name.Length, .. name], frame = [0, 0, 0, 0, 0, .. message];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/inference.GRPCInferenceService/" + method) { Version = HttpVersion.Version20, Content = new ByteArrayContent(frame) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        if (token is not null) request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        using HttpResponseMessage response = await client.SendAsync(request);
        await response.Content.ReadAsByteArrayAsync();
        HttpResponseHeaders headers = response.TrailingHeaders.Contains("grpc-status") ? response.TrailingHeaders : response.Headers;
        return headers.GetValues("grpc-status").Single();
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var end = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        while (!await holds()) await Task.Delay(5, end.Token);
    }
}
