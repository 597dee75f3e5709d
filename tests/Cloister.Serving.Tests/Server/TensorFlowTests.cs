using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Cloister.Serving.Tests.Server;

public sealed class TensorFlowTests
{
    [Theory]
    [InlineData("""{"instances":[1.0,2.0,5.0]}""", "{\n    \"predictions\": [2.5, 3.0, 4.5\n    ]\n}")]
    [InlineData("""{"signature_name":"serving_default","instances":[{"x":1},{"x":2},{"x":5}]}""", "{\n    \"predictions\": [2.5, 3.0, 4.5\n    ]\n}")]
    [InlineData("""{"inputs":[1.0,2.0,5.0],"signature_name":""}""", "{\n    \"outputs\": [2.5, 3.0, 4.5]\n}")]
    [InlineData("""{"inputs":{"x":[NaN,Infinity,-Infinity,0.2,1e10]}}""", "{\n    \"outputs\": [NaN, Infinity, -Infinity, 2.1, 5e+09]\n}")]
    public async Task Half_plus_two_predicts(string request, string answer)
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        (HttpStatusCode status, string body) = await server.PostAsync("/v1/models/half:predict", request);
        Assert.True(status == HttpStatusCode.OK, body);
        Assert.Equal(answer, body);
    }

    [Fact]
    public async Task Addresses_are_matched_without_regard_to_case_but_names_are_not()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        Assert.Equal(HttpStatusCode.OK, (await server.PostAsync("/V1/Models/half/VERSIONS/1:Predict", """{"instances":[1]}""")).Status);
        Assert.Equal((HttpStatusCode.NotFound, """{ "error": "There is no model 'HALF' here." }"""), await server.PostAsync("/v1/models/HALF:predict", """{"instances":[1]}"""));
        Assert.Equal((HttpStatusCode.NotFound, """{ "error": "Model 'half' is served in version 1, not '7'." }"""), await server.PostAsync("/v1/models/half/versions/7:predict", "{}"));
        Assert.Equal((HttpStatusCode.NotFound, """{ "error": "Model 'half' has no version label 'stable'; ask for it without one." }"""), await server.PostAsync("/v1/models/half/labels/stable:predict", "{}"));
        Assert.Equal((HttpStatusCode.BadRequest, """{ "error": "Malformed request: POST /v1/models/half" }"""), await server.PostAsync("/v1/models/half", "{}"));
        Assert.Equal((HttpStatusCode.BadRequest, """{ "error": "Malformed request: GET /v1/models/half:predict" }"""), await server.GetAsync("/v1/models/half:predict"));
        Assert.Equal((HttpStatusCode.NotImplemented, """{ "error": "An ONNX model has no classify signature; use :predict." }"""), await server.PostAsync("/v1/models/half:classify", "{}"));
    }

    [Fact]
    public async Task Several_inputs_and_outputs_are_named()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("two", TestModels.SumAndDifference));
        Assert.Equal((HttpStatusCode.OK, "{\n    \"predictions\": [{\"sum\": [11.0, 22.0], \"difference\": [9.0, 18.0]}, {\"sum\": [33.0, 44.0], \"difference\": [27.0, 36.0]}\n    ]\n}"),
            await server.PostAsync("/v1/models/two:predict", """{"instances":[{"a":[10,20],"b":[1,2]},{"b":[3,4],"a":[30,40]}]}"""));
        Assert.Equal((HttpStatusCode.OK, "{\n    \"outputs\": {\"sum\": [[11.0, 22.0]], \"difference\": [[9.0, 18.0]]}\n}"),
            await server.PostAsync("/v1/models/two:predict", """{"inputs":{"b":[[1,2]],"a":[[10,20]]}}"""));
    }

    [Fact]
    public async Task Texts_and_bytes_go_through()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("text", TestModels.TextIdentity));
        Assert.Equal((HttpStatusCode.OK, "{\n    \"predictions\": [{\"y\": \"a\", \"y_bytes\": {\"b64\": \"YQ==\"}}, {\"y\": \"\u00e4\", \"y_bytes\": {\"b64\": \"w6Q=\"}}\n    ]\n}"),
            await server.PostAsync("/v1/models/text:predict", """{"instances":["a",{"b64":"w6Q="}]}"""));
    }

    [Fact]
    public async Task Status_and_metadata_have_TF_Serving_s_form()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        Assert.Equal((HttpStatusCode.OK, "{\n \"model_version_status\": [\n  {\n   \"version\": \"1\",\n   \"state\": \"AVAILABLE\",\n   \"status\": {\n    \"error_code\": \"OK\",\n    \"error_message\": \"\"\n   }\n  }\n ]\n}\n"),
            await server.GetAsync("/v1/models/half"));
        Assert.Equal((HttpStatusCode.OK, """{"model_spec":{"name":"half","signature_name":"","version":"1"},"metadata":{"signature_def":{"signature_def":{"serving_default":{"inputs":{"x":{"dtype":"DT_FLOAT","tensor_shape":{"dim":[{"size":"-1","name":""}],"unknown_rank":false},"name":"x"}},"outputs":{"y":{"dtype":"DT_FLOAT","tensor_shape":{"dim":[{"size":"-1","name":""}],"unknown_rank":false},"name":"y"}},"method_name":"tensorflow/serving/predict"}}}}}"""),
            await server.GetAsync("/v1/models/half/metadata"));
    }

    [Theory]
    [InlineData("/v1/models/half:predict", """{"instances":[1.0]}"""), InlineData("/v2/models/half/infer", """{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}""")]
    public async Task Bodies_may_be_gzipped(string path, string json)
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        (HttpStatusCode status, string body) = await PostGzipAsync(server, path, Encoding.UTF8.GetBytes(json));
        Assert.True(status == HttpStatusCode.OK && body.Contains("2.5", StringComparison.Ordinal), body);
    }

    [Fact]
    public async Task A_body_that_inflates_too_far_is_refused()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync(options => options with { MaximumRequestBytes = 100_000 });
        (HttpStatusCode status, string body) = await PostGzipAsync(server, "/v1/models/half:predict", new byte[10_000_000]);
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, """{ "error": "The body is larger than the 100000 bytes that this model takes; send fewer instances at once." }"""), (status, body));
    }

    [Fact]
    public async Task A_body_that_does_not_inflate_is_refused()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        using var content = new ByteArrayContent("{\"instances\":[1]}"u8.ToArray());
        content.Headers.ContentEncoding.Add("gzip");
        using HttpResponseMessage refused = await server.Client.PostAsync("/v1/models/half:predict", content);
        Assert.Equal((HttpStatusCode.BadRequest, """{ "error": "The body was announced as gzip but does not inflate." }"""), (refused.StatusCode, await refused.Content.ReadAsStringAsync()));
        using var other = new ByteArrayContent("{}"u8.ToArray());
        other.Headers.ContentEncoding.Add("br");
        using HttpResponseMessage unknown = await server.Client.PostAsync("/v1/models/half:predict", other);
        Assert.Equal((HttpStatusCode.UnsupportedMediaType, """{ "error": "Content-Encoding 'br' is not read here; send gzip, deflate or none." }"""), (unknown.StatusCode, await unknown.Content.ReadAsStringAsync()));
    }

    private static async Task<(HttpStatusCode, string)> PostGzipAsync(TestServer server, string path, byte[] body)
    {
        using var compressed = new MemoryStream();
        await using (var gzip = new GZipStream(compressed, CompressionMode.Compress, leaveOpen: true)) await gzip.WriteAsync(body);
        using var content = new ByteArrayContent(compressed.ToArray());
        content.Headers.ContentEncoding.Add("gzip");
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using HttpResponseMessage response = await server.Client.PostAsync(path, content);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
