using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Cloister.Serving.Tests.Server;
using Cloister.Workload;

namespace Cloister.Serving.Tests.OpenInference;

/// <summary>Triton's model repository extension: what is there, and who may load and unload it.</summary>
public sealed class ModelRepositoryTests
{
    [Fact]
    public async Task The_index_says_where_every_model_stands()
    {
        TestStore store = await (await new TestStore().AddAsync("half", TestModels.HalfPlusTwo)).AddEntriesAsync("broken", ("other", [1]));
        await using TestServer server = await TestServer.StartAsync(store);
        (HttpStatusCode status, string body) = await server.PostAsync("/v2/repository/index", "");
        Assert.True(status == HttpStatusCode.OK, body);
        Assert.StartsWith("""[{"name":"half","version":"1","state":"READY","reason":""},{"name":"broken",""", body, StringComparison.Ordinal);
        Assert.Contains("\"state\":\"UNAVAILABLE\",\"reason\":\"broken.sealed has no entry model.onnx", body, StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.OK, """[{"name":"half","version":"1","state":"READY","reason":""}]"""), await server.PostAsync("/v2/repository/index", """{"ready":true}"""));
        Assert.Equal(HttpStatusCode.BadRequest, (await server.PostAsync("/v2/repository/index", """{"ready":1}""")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await server.PostAsync("/v2/repository/index", """{"all":true}""")).Status);
        Assert.Equal((HttpStatusCode.BadRequest, """{"error":"There is one repository, and it has no name: leave the name out of the address."}"""), await server.PostAsync("/v2/repository/mine/index", "{}"));
    }

    [Fact]
    public async Task An_administrator_unloads_and_loads_a_model()
    {
        await using TestServer server = await AdministeredAsync(allow: true);
        Assert.Equal((HttpStatusCode.OK, ""), await ControlAsync(server, "half/unload", """{"parameters":{"unload_dependents":false}}"""));
        Assert.NotEqual(HttpStatusCode.OK, (await server.GetAsync("/v2/models/half/ready")).Status);
        (HttpStatusCode status, string body) = await server.PostAsync("/v2/models/half/infer", """{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}""");
        Assert.True(status is HttpStatusCode.NotFound or HttpStatusCode.ServiceUnavailable, body);
        Assert.DoesNotContain("READY", (await server.PostAsync("/v2/repository/index", "{}")).Body, StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.OK, ""), await ControlAsync(server, "half/load", ""));
        Assert.Equal((HttpStatusCode.OK, ""), await ControlAsync(server, "half/load", "{}"));
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/v2/models/half/ready")).Status);
        Assert.Equal(HttpStatusCode.OK, (await server.PostAsync("/v2/models/half/infer", """{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}""")).Status);
    }

    [Fact]
    public async Task Nobody_else_does()
    {
        await using TestServer server = await AdministeredAsync(allow: true);
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.PostAsync("/v2/repository/models/half/unload", "")).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await ControlAsync(server, "half/unload", "", "user-token")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await ControlAsync(server, "other/unload", "")).Status);
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/v2/models/half/ready")).Status);
    }

    [Fact]
    public async Task A_server_that_was_fixed_at_its_start_changes_nothing()
    {
        await using TestServer server = await AdministeredAsync(allow: false);
        Assert.Equal((HttpStatusCode.Forbidden, """{"error":"What is served here was fixed when the server started."}"""), await ControlAsync(server, "half/unload", ""));
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/v2/models/half/ready")).Status);
    }

    [Theory]
    [InlineData("load", """{"parameters":{"config":"{}"}}""", "Parameter 'config' is refused: a model and its configuration are what its maker sealed and signed; have a new version sealed instead.")]
    [InlineData("load", """{"parameters":{"file:1/model.onnx":"AAAA"}}""", "Parameter 'file:1/model.onnx' is refused: a model and its configuration are what its maker sealed and signed; have a new version sealed instead.")]
    [InlineData("load", """{"parameters":{"mine":1}}""", "Parameter 'mine' is refused: loading takes no parameters here.")]
    [InlineData("load", """{"config":"{}"}""", "Member 'config' of the request is unknown; known are parameters (byte 10).")]
    [InlineData("load", "[]", "The request must be an object (byte 0).")]
    [InlineData("unload", """{"parameters":{"unload_dependents":1}}""", "Parameter 'unload_dependents' must be true or false.")]
    [InlineData("unload", """{"parameters":{"config":"{}"}}""", "Parameter 'config' is refused: unloading knows only 'unload_dependents'.")]
    [InlineData("unload", "{", "The body is not valid JSON: the document ends too early (byte 1).")]
    public async Task What_a_request_may_not_say_is_refused(string action, string json, string reason)
    {
        await using TestServer server = await AdministeredAsync(allow: true);
        (HttpStatusCode status, string body) = await ControlAsync(server, "half/" + action, json);
        Assert.Equal((HttpStatusCode.BadRequest, reason), (status, BinaryMessages.Reason(body)));
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/v2/models/half/ready")).Status);
    }

    [Theory]
    [InlineData("/v2/trace/setting"), InlineData("/v2/models/half/trace/setting"), InlineData("/v2/logging"), InlineData("/v2/systemsharedmemory/status")]
    [InlineData("/v2/systemsharedmemory/region/r/register"), InlineData("/v2/cudasharedmemory/status"), InlineData("/v2/models/half/generate"), InlineData("/v2/models/half/versions/1/generate_stream")]
    public async Task What_is_the_operator_s_is_refused_with_a_reason(string path)
    {
        await using TestServer server = await AdministeredAsync(allow: true);
        (HttpStatusCode status, string get) = await server.GetAsync(path);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal((HttpStatusCode.BadRequest, get), await server.PostAsync(path, "{}"));
        Assert.True(BinaryMessages.Reason(get).Length > 40, get);
    }

    private static async Task<TestServer> AdministeredAsync(bool allow)
    {
        TestStore store = await new TestStore().AddAsync("half", TestModels.HalfPlusTwo);
        store.AllowToken("user", "user-token", "half");
        store.Callers.Add(new CallerGrant("admin", default, SHA256.HashData("admin-token"u8), ["half"]) { Administers = ["models"] });
        return await TestServer.StartAsync(store, options => options with { Repository = options.Repository with { AllowChanges = allow } });
    }

    private static async Task<(HttpStatusCode Status, string Body)> ControlAsync(TestServer server, string path, string json, string token = "admin-token")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/repository/models/" + path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using HttpResponseMessage response = await server.Client.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
