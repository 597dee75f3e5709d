using System.Net;
using System.Text;
using System.Text.Json;

namespace Cloister.Serving.Tests.Server;

/// <summary>Each malformed request has its precise answer; the server goes on.</summary>
public sealed class MalformedRequestTests
{
    public static TheoryData<string, string> OpenInference() => new()
    {
        { "", "The body is not valid JSON: the document ends too early (byte 0)." },
        { "[]", "The request must be an object (byte 0)." },
        { "{", "The body is not valid JSON: the document ends too early (byte 1)." },
        { "{}", "Input 'a' is missing; model 'two' has 'a', 'b'." },
        { "{} x", "The body is not valid JSON: a value was expected (byte 3)." },
        { "{} {}", "The body is not valid JSON: nothing may follow the document (byte 3)." },
        { """{"id":1}""", "'id' must be a string (byte 6)." },
        { """{"id":"a","id":"b"}""", "Member 'id' stands there twice (byte 15)." },
        { """{"model":"x"}""", "Member 'model' of the request is unknown; known are id, parameters, inputs, outputs, model_name, model_version (byte 9)." },
        { """{"id":"a",}""", "The body is not valid JSON: a value was expected after ',' (byte 10)." },
        { """{"id" "a"}""", "The body is not valid JSON: ':' was expected after a member's name (byte 6)." },
        { """{"id":"\x"}""", "The body is not valid JSON: an unknown escape in a string (byte 7)." },
        { """{"id":"\ud800"}""", "The body is not valid JSON: a lone surrogate in a string (byte 7)." },
        { """{"id":"a""", "The body is not valid JSON: the string does not end (byte 6)." },
        { "{\"id\":\"a\nb\"}", "The body is not valid JSON: a control character must be escaped in a string (byte 8)." },
        { """{"inputs":{}}""", "'inputs' must be an array (byte 10)." },
        { """{"inputs":[1]}""", "An input must be an object (byte 11)." },
        { Input("""  "name":"a","shape":[1,2],"datatype":"FP32" """), "Input 'a' has no 'data' (byte 11)." },
        { Input(""" "name":"a","shape":[1,2],"data":[1,2] """), "Input 'a' has no 'datatype' (byte 11)." },
        { Input(""" "name":"a","datatype":"FP32","data":[1,2] """), "Input 'a' has no 'shape' (byte 11)." },
        { Input(""" "shape":[1,2],"datatype":"FP32","data":[1,2] """), "An input has no 'name' (byte 11)." },
        { Input(""" "name":"c","shape":[1,2],"datatype":"FP32","data":[1,2] """), "Model 'two' has no input 'c'; it has 'a', 'b'." },
        { Input(""" "name":"a","shape":[1,2],"datatype":"FP33","data":[1,2] """), "Input 'a' has the unknown datatype 'FP33'; the model takes FP32." },
        { Input(""" "name":"a","shape":[1,2],"datatype":"INT64","data":[1,2] """), "Input 'a' takes FP32, not INT64." },
        { Input(""" "name":"a","shape":[1,2],"datatype":"BYTES","data":["1","2"] """), "Input 'a' takes FP32, not BYTES." },
        { Input(""" "name":"a","shape":[1,3],"datatype":"FP32","data":[1,2,3] """), "Input 'a' takes shape [-1,2], not [1,3]." },
        { Input(""" "name":"a","shape":[2],"datatype":"FP32","data":[1,2] """), "Input 'a' takes shape [-1,2], not [2]." },
        { Input(""" "name":"a","shape":[-1,2],"datatype":"FP32","data":[1,2] """), "A dimension of an input's 'shape' must be a whole number from 0 to 2147483647 (byte 33)." },
        { Input(""" "name":"a","shape":[1.5,2],"datatype":"FP32","data":[1,2] """), "A dimension of an input's 'shape' must be a whole number from 0 to 2147483647 (byte 33)." },
        { Input(""" "name":"a","shape":[1000000000,2],"datatype":"FP32","data":[1,2] """), "Input 'a': the body is too short for the values that shape [1000000000,2] wants." },
        { """{"model_name":"three"}""", "'model_name' is 'three', but the address leads to 'two' (byte 14)." },
        { """{"model_version":"2"}""", "'model_version' is '2', but the address leads to '1' (byte 17)." },
        { Input(""" "name":"a","shape":[1,2],"datatype":"FP32","data":[1] """), "Input 'a' has 1 values where shape [1,2] wants 2." },
        { Input(""" "name":"a","shape":[1,2],"datatype":"FP32","data":[1,2,3] """), "Input 'a' has 3 values where shape [1,2] wants 2." },
        { Input(""" "name":"a","shape":[1,2],"datatype":"FP32","data":[1,"2"] """), "Input 'a' wants a number where a string stands (byte 66)." },
        { Input(""" "name":"a","shape":[1,2],"datatype":"FP32","data":[1,null] """), "Input 'a' wants a number where null stands (byte 66)." },
        { Input(""" "name":"a","shape":[1,2],"datatype":"FP32","data":[1,1e39] """), "Input 'a': the number does not fit FP32 (byte 66)." },
        { Input(""" "name":"a","shape":[1,2],"datatype":"FP32","data":[1,02] """), "The body is not valid JSON: ',' or ']' was expected (byte 67)." },
        { Input(""" "name":"a","shape":[1,2],"datatype":"FP32","data":[1,,2] """), "The body is not valid JSON: a value was expected (byte 66)." },
        { Input(""" "name":"a","shape":[1,2],"datatype":"FP32","data":[1,2 """), "The body is not valid JSON: ',' or ']' was expected (byte 68)." },
        { Input(""" "name":"a","shape":[2,2],"datatype":"FP32","data":[[1,2],[3]] """), "Input 'a': a list has 1 values where others have 2 (byte 70)." },
        { Input(""" "name":"a","shape":[2,2],"datatype":"FP32","data":[[1,2],3] """), "Input 'a': a single value stands where a list is expected, 1 levels deep (byte 70)." },
        { Input(""" "name":"a","shape":[2,2],"datatype":"FP32","data":[1,[2]] """), "Input 'a' wants a number where a list stands (byte 66)." },
        { Input(""" "name":"a","shape":[1,2],"datatype":"FP32","data":[[1],[2]] """), "The lists of input 'a' have shape [2,1] where [1,2] is announced." },
        { Input(""" "name":"a","shape":[1,2],"datatype":"FP32","data":7 """), "The data of input 'a' must be a list (byte 63)." },
        { Input(""" "name":"a","shape":[1,2],"datatype":"FP32","data":[1,2],"extra":1 """), "Member 'extra' of an input is unknown; known are name, shape, datatype, parameters, data (byte 77)." },
        { Input(""" "name":"a","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8} """), "'binary_data_size' announces binary data, but no header Inference-Header-Content-Length says where the JSON ends." },
        { Input(""" "name":"a","shape":[1,2],"datatype":"FP32","parameters":{"shared_memory_region":"r","shared_memory_byte_size":8} """), "Parameter 'shared_memory_region' is refused: memory shared with a client lies outside what is attested; send the data in the request." },
        { """{"inputs":[{"name":"a","shape":[0,2],"datatype":"FP32","data":[]},{"name":"a","shape":[0,2],"datatype":"FP32","data":[]}]}""", "Input 'a' stands there twice (byte 66)." },
        { """{"outputs":[{"name":"quotient"}]}""", "Model 'two' has no output 'quotient'; it has 'sum', 'difference'." },
        { """{"outputs":[{"name":"sum"},{"name":"sum"}]}""", "Output 'sum' stands there twice (byte 27)." },
        { """{"outputs":[{}]}""", "An output has no 'name' (byte 12)." },
        { """{"outputs":[{"name":"sum","parameters":{"classification":-1}}]}""", "Parameter 'classification' must be a whole number from 0 to 100000." },
        { """{"outputs":[{"name":"sum","parameters":{"binary_data":1}}]}""", "Parameter 'binary_data' must be true or false." },
        { """{"parameters":{"sequence_id":7}}""", "Parameter 'sequence_id' is refused: models keep nothing from one request to the next here; leave the sequence parameters out." },
        { """{"parameters":{"sequence_start":true}}""", "Parameter 'sequence_start' is refused: models keep nothing from one request to the next here; leave the sequence parameters out." },
        { """{"parameters":{"priority":1}}""", "Parameter 'priority' is refused: all requests of a model have the same priority here; leave it out, or send 0." },
        { """{"parameters":{"triton_final_response":true}}""", "Parameter 'triton_final_response' is refused: names that begin with 'triton_' are reserved." },
        { """{"parameters":{"mine":[1]}}""", "Parameter 'mine' must be a text, a number or true or false (byte 22)." },
        { """{"parameters":{"timeout":-1}}""", "Parameter 'timeout' must be a whole number from 0 to 86400000000." },
    };

    [Theory, MemberData(nameof(OpenInference))]
    public Task Open_Inference_says_what_is_wrong(string body, string reason) => CheckAsync("/v2/models/two/infer", body, reason, """{"error":""");

    [Theory]
    [InlineData("\"bm90IGEgcGljdHVyZQ==\"", "Input 'picture', picture 0: ")]
    [InlineData("\"*\"", "Input 'picture': the text is not base64")]
    public async Task Pictures_that_are_none_are_refused(string data, string reason)
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("mean", TestModels.PictureMean, """{"preprocess":"unit"}"""));
        (HttpStatusCode status, string answer) = await server.PostAsync("/v2/models/mean/infer",
            $$"""{"inputs":[{"name":"picture","shape":[1],"datatype":"BYTES","data":[{{data}}]}]}""");
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.StartsWith(reason, Reason(answer), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v2/models/two/infer"), InlineData("/v1/models/two:predict")]
    public async Task Deep_nesting_is_refused(string path)
    {
        await using TestServer server = await TwoAsync();
        string deep = new('[', 100_000);
        foreach (string body in new[] { deep, "{\"inputs\":" + deep, "{\"inputs\":[{\"data\":" + deep, "{\"instances\":" + deep, "{\"parameters\":{\"content_type\":" + deep, string.Concat(Enumerable.Repeat("{\"inputs\":", 10_000)) })
            Assert.Equal(HttpStatusCode.BadRequest, (await server.PostAsync(path, body)).Status);
    }

    [Fact]
    public async Task A_body_larger_than_the_model_needs_is_refused()
    {
        await using TestServer server = await OpenInferenceTests.HalfPlusTwoAsync(options => options with { MaximumRequestBytes = 5000 });
        (HttpStatusCode status, string answer) = await server.PostAsync("/v2/models/half/infer", new string(' ', 5001));
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "The body is larger than the 5000 bytes that this model takes; send fewer instances at once."), (status, Reason(answer)));
        using var chunked = new StreamContent(new MemoryStream(new byte[100_000]));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/models/half/infer") { Content = chunked };
        request.Headers.TransferEncodingChunked = true;
        using HttpResponseMessage response = await server.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    [Fact]
    public async Task Bytes_that_are_no_UTF_8_are_refused()
    {
        await using TestServer server = await TwoAsync();
        using var content = new ByteArrayContent([.. "{\"id\":\""u8, 0xFF, .. "\"}"u8]);
        using HttpResponseMessage response = await server.Client.PostAsync("/v2/models/two/infer", content);
        Assert.Equal("The body is not valid JSON: the string is not valid UTF-8 (byte 7).", Reason(await response.Content.ReadAsStringAsync()));
    }

    private static async Task CheckAsync(string path, string body, string reason, string shape)
    {
        await using TestServer server = await TwoAsync();
        (HttpStatusCode status, string answer) = await server.PostAsync(path, body);
        Assert.Equal(reason, Reason(answer));
        Assert.True(status is HttpStatusCode.BadRequest or HttpStatusCode.NotImplemented, status.ToString());
        Assert.StartsWith(shape, answer, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await server.PostAsync("/v1/models/two:predict", """{"instances":[{"a":[1,2],"b":[1,2]}]}""")).Status);
    }

    private static async Task<TestServer> TwoAsync() => await TestServer.StartAsync(await new TestStore().AddAsync("two", TestModels.SumAndDifference));

    private static string Input(string members) => $$"""{"inputs":[{{{members}}}]}""";

    private static string Reason(string answer)
    {
        using JsonDocument document = JsonDocument.Parse(Encoding.UTF8.GetBytes(answer));
        return document.RootElement.GetProperty("error").GetString()!;
    }
}
