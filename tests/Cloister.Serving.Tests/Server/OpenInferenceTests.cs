using System.Net;
using System.Text.Json;

namespace Cloister.Serving.Tests.Server;

public sealed class OpenInferenceTests
{
    [Fact]
    public async Task Half_plus_two_predicts()
    {
        await using TestServer server = await HalfPlusTwoAsync();
        (HttpStatusCode status, string body) = await server.PostAsync("/v2/models/half/infer",
            """{"id":"42","inputs":[{"name":"x","shape":[3],"datatype":"FP32","data":[1.0,2.0,5.0]}]}""");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("""{"model_name":"half","model_version":"1","id":"42","outputs":[{"name":"y","datatype":"FP32","shape":[3],"data":[2.5,3,4.5]}]}""", body);
    }

    [Theory]
    [InlineData("""{"inputs":[{"data":[1,2],"datatype":"FP32","shape":[2],"name":"x"}]}""")]
    [InlineData("""{"inputs":[{"data":[1,2],"parameters":{"content_type":"np"},"name":"x","shape":[2],"datatype":"FP32"}],"outputs":[{"name":"y","parameters":{"binary_data":false}}],"parameters":{"timeout":10000000,"binary_data_output":false}}""")]
    [InlineData(" \n{ \"inputs\" : [ { \"name\" : \"\\u0078\" , \"shape\" : [ 2 ] , \"datatype\" : \"FP32\" , \"data\" : [ 1.0e0 ,\t0.2E+1 ] } ] }\r\n")]
    public async Task Members_come_in_any_order_and_form(string json)
    {
        await using TestServer server = await HalfPlusTwoAsync();
        (HttpStatusCode status, string body) = await server.PostAsync("/v2/models/half/versions/1/infer", json);
        Assert.True(status == HttpStatusCode.OK, body);
        Assert.Contains("\"data\":[2.5,3]", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("FP32", 1, "[0,-1.5,3.4028235e+38,NaN,Infinity,-Infinity]", "[0,-1.5,3.4028235e+38,NaN,Infinity,-Infinity]")]
    [InlineData("FP64", 11, "[0,-1.5,1e300,NaN,Infinity,-Infinity]", "[0,-1.5,1E+300,NaN,Infinity,-Infinity]")]
    [InlineData("FP16", 10, "[0,-1.5,65504,NaN,Infinity,-Infinity]", "[0,-1.5,65504,NaN,Infinity,-Infinity]")]
    [InlineData("BF16", 16, "[0,-1.5,1.0039062,NaN,Infinity,-Infinity]", "[0,-1.5,1,NaN,Infinity,-Infinity]")]
    [InlineData("INT8", 3, "[0,-128,127,1,2,3]", "[0,-128,127,1,2,3]")]
    [InlineData("INT16", 5, "[0,-32768,32767,1,2,3]", "[0,-32768,32767,1,2,3]")]
    [InlineData("INT32", 6, "[0,-2147483648,2147483647,1,2,3]", "[0,-2147483648,2147483647,1,2,3]")]
    [InlineData("INT64", 7, "[0,-9223372036854775808,9223372036854775807,1,2,3]", "[0,-9223372036854775808,9223372036854775807,1,2,3]")]
    [InlineData("UINT8", 2, "[0,255,1,2,3,4]", "[0,255,1,2,3,4]")]
    [InlineData("UINT16", 4, "[0,65535,1,2,3,4]", "[0,65535,1,2,3,4]")]
    [InlineData("UINT32", 12, "[0,4294967295,1,2,3,4]", "[0,4294967295,1,2,3,4]")]
    [InlineData("UINT64", 13, "[0,18446744073709551615,1,2,3,4]", "[0,18446744073709551615,1,2,3,4]")]
    [InlineData("BOOL", 9, "[true,false,true,true,false,false]", "[true,false,true,true,false,false]")]
    [InlineData("BYTES", 8, """["","a","\u00e4\n\"","\ud83d\ude00","b","c"]""", "[\"\",\"a\",\"\u00e4\\n\\\"\",\"\ud83d\ude00\",\"b\",\"c\"]")]
    public async Task Every_datatype_goes_through(string datatype, int type, string data, string answer)
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("identity", TestModels.Identity(type)));
        string nested = data;
        (HttpStatusCode status, string body) = await server.PostAsync("/v2/models/identity/infer",
            $$"""{"inputs":[{"name":"x","shape":[2,3],"datatype":"{{datatype}}","data":{{nested}}}]}""");
        Assert.True(status == HttpStatusCode.OK, body);
        Assert.Equal($$"""{"model_name":"identity","model_version":"1","outputs":[{"name":"y","datatype":"{{datatype}}","shape":[2,3],"data":{{answer}}}]}""", body);
    }

    [Fact]
    public async Task Data_may_be_nested_and_outputs_chosen()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("two", TestModels.SumAndDifference));
        (HttpStatusCode status, string body) = await server.PostAsync("/v2/models/two/infer",
            """{"outputs":[{"name":"difference"}],"inputs":[{"name":"b","shape":[2,2],"datatype":"FP32","data":[[1,2],[3,4]]},{"name":"a","shape":[2,2],"datatype":"FP32","data":[10,20,30,40]}]}""");
        Assert.True(status == HttpStatusCode.OK, body);
        Assert.Equal("""{"model_name":"two","model_version":"1","outputs":[{"name":"difference","datatype":"FP32","shape":[2,2],"data":[9,18,27,36]}]}""", body);
    }

    [Fact]
    public async Task The_best_classes_come_with_their_labels()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("identity", TestModels.Identity(1), labels: "apple\nbanana\npear, conference"));
        (HttpStatusCode status, string body) = await server.PostAsync("/v2/models/identity/infer",
            """{"inputs":[{"name":"x","shape":[2,4],"datatype":"FP32","data":[1,5,10,4, 0.5,NaN,0.5,-1]}],"outputs":[{"name":"y","parameters":{"classification":3}}]}""");
        Assert.True(status == HttpStatusCode.OK, body);
        Assert.Contains("""{"name":"y","datatype":"BYTES","shape":[2,3],"data":["10:2:pear, conference","5:1:banana","4:3","0.5:0:apple","0.5:2:pear, conference","-1:3"]}""", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metadata_and_health_say_what_is_there()
    {
        await using TestServer server = await HalfPlusTwoAsync();
        Assert.Equal("""{"live":true}""", (await server.GetAsync("/v2/health/live")).Body);
        Assert.Equal((HttpStatusCode.OK, """{"ready":true}"""), await server.GetAsync("/v2/health/ready"));
        Assert.Equal((HttpStatusCode.OK, """{"name":"half","ready":true}"""), await server.GetAsync("/v2/models/half/ready"));
        Assert.Equal("""{"name":"half","versions":["1"],"platform":"onnxruntime_onnx","inputs":[{"name":"x","datatype":"FP32","shape":[-1]}],"outputs":[{"name":"y","datatype":"FP32","shape":[-1]}]}""",
            (await server.GetAsync("/v2/models/half")).Body);
        using JsonDocument about = JsonDocument.Parse((await server.GetAsync("/v2")).Body);
        Assert.Equal("cloister", about.RootElement.GetProperty("name").GetString());
        Assert.Equal("binary_tensor_data", about.RootElement.GetProperty("extensions")[0].GetString());
        Assert.Equal(HttpStatusCode.NotFound, (await server.GetAsync("/v2/models/half/versions/2/ready")).Status);
        Assert.Equal((HttpStatusCode.NotFound, """{"error":"There is no model 'other' here."}"""), await server.GetAsync("/v2/models/other"));
        Assert.Equal((HttpStatusCode.NotFound, """{"error":"There is no GET /v2/nothing."}"""), await server.GetAsync("/v2/nothing"));
    }

    [Fact]
    public async Task Http_2_works()
    {
        await using TestServer server = await HalfPlusTwoAsync();
        using HttpClient client = server.CreateClient(http2: true);
        using HttpResponseMessage response = await client.PostAsync("/v2/models/half/infer",
            new StringContent("""{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}"""));
        Assert.Equal(HttpVersion.Version20, response.Version);
        Assert.Contains("[2.5]", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pictures_are_decoded_and_preprocessed()
    {
        byte[] png = Cloister.Onnx.Pictures.PngWriter.Write(new Cloister.Onnx.Pictures.Picture(4, 2, [.. Enumerable.Repeat<byte[]>([51, 102, 255], 8).SelectMany(pixel => pixel)]));
        string text = Convert.ToBase64String(png);
        const string GreyJpeg = // 4 x 2, each sample 51
            "/9j/2wBDAAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQH/" +
            "wAALCAACAAQBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACv/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AMu//2Q==";
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("mean", TestModels.PictureMean, """{"preprocess":"unit"}"""));
        (HttpStatusCode status, string body) = await server.PostAsync("/v2/models/mean/infer",
            $$"""{"inputs":[{"name":"picture","shape":[2],"datatype":"BYTES","data":["{{text}}","{{GreyJpeg}}"]}]}""");
        Assert.True(status == HttpStatusCode.OK, body);
        Assert.Contains("\"shape\":[2,3],\"data\":[0.2,0.4,1,0.2,0.2,0.2]", body, StringComparison.Ordinal);
        foreach (string json in new[] { """{"instances":[{"b64":"PNG"}]}""", """{"instances":[{"picture":{"b64":"PNG"}}]}""", """{"inputs":{"b64":"PNG"}}""", """{"inputs":{"picture":[{"b64":"PNG"}]}}""" })
        {
            (status, body) = await server.PostAsync("/v1/models/mean:predict", json.Replace("PNG", text, StringComparison.Ordinal));
            Assert.True(status == HttpStatusCode.OK, body);
            Assert.Contains("[0.2,0.4,1.0]", string.Concat(body.Where(symbol => !char.IsWhiteSpace(symbol))), StringComparison.Ordinal);
        }
    }

    internal static async Task<TestServer> HalfPlusTwoAsync(Func<InferenceOptions, InferenceOptions>? change = null) =>
        await TestServer.StartAsync(await new TestStore().AddAsync("half", TestModels.HalfPlusTwo), change);
}
