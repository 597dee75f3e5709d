using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Cloister.Serving.Tests.Server;

namespace Cloister.Serving.Tests.TensorFlow;

public sealed class GzipTests
{
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
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, Refusal.Body("The body is larger than the 100000 bytes that this model takes; send fewer instances at once.")), (status, body));
    }

    [Fact]
    public async Task A_body_that_does_not_inflate_is_refused()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync();
        using var content = new ByteArrayContent("{\"instances\":[1]}"u8.ToArray());
        content.Headers.ContentEncoding.Add("gzip");
        using HttpResponseMessage refused = await server.Client.PostAsync("/v1/models/half:predict", content);
        Assert.Equal((HttpStatusCode.BadRequest, Refusal.Body("The body was announced as gzip but does not inflate.")), (refused.StatusCode, await refused.Content.ReadAsStringAsync()));
        using var other = new ByteArrayContent("{}"u8.ToArray());
        other.Headers.ContentEncoding.Add("br");
        using HttpResponseMessage unknown = await server.Client.PostAsync("/v1/models/half:predict", other);
        Assert.Equal((HttpStatusCode.UnsupportedMediaType, Refusal.Body("Content-Encoding 'br' is not read here; send gzip, deflate or none.")), (unknown.StatusCode, await unknown.Content.ReadAsStringAsync()));
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
