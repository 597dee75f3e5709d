using System.Net;
using Cloister.Onnx.Model;
using Cloister.Serving.Tests.Server;
using static Cloister.Serving.Tests.OpenInference.BinaryMessages;

namespace Cloister.Serving.Tests.OpenInference;

/// <summary>Tensors as binary data, as Triton's and KServe's clients send and take them.</summary>
public sealed class BinaryDataTests
{
    public static TheoryData<string, TensorDataType, string> Datatypes() => new()
    {
        { "BOOL", TensorDataType.Bool, "000101000100" },
        { "UINT8", TensorDataType.UInt8, "00FF80017F02" },
        { "UINT16", TensorDataType.UInt16, "0000FFFF0080FF7F01000200" },
        { "UINT32", TensorDataType.UInt32, "00000000FFFFFFFF00000080FFFFFF7F0100000002000000" },
        { "UINT64", TensorDataType.UInt64, "0000000000000000FFFFFFFFFFFFFFFF0000000000000080FFFFFFFFFFFFFF7F01000000000000000200000000000000" },
        { "INT8", TensorDataType.Int8, "00FF80017F02" },
        { "INT16", TensorDataType.Int16, "0000FFFF0080FF7F01000200" },
        { "INT32", TensorDataType.Int32, "00000000FFFFFFFF00000080FFFFFF7F0100000002000000" },
        { "INT64", TensorDataType.Int64, "0000000000000000FFFFFFFFFFFFFFFF0000000000000080FFFFFFFFFFFFFF7F01000000000000000200000000000000" },
        { "FP16", TensorDataType.Float16, "0000003C00C0FF7B007C007E" },
        { "BF16", TensorDataType.BFloat16, "0000803F00C07F7F807FC07F" },
        { "FP32", TensorDataType.Float, "000000000000803F000000C0FFFF7F7F0000807F0000C07F" },
        { "FP64", TensorDataType.Double, "0000000000000000000000000000F03F00000000000000C0FFFFFFFFFFFFEF7F000000000000F07F000000000000F87F" },
        { "BYTES", TensorDataType.String, "000000000100000061020000006262040000006363636303000000E282AC0100000020" },
    };

    [Theory, MemberData(nameof(Datatypes))]
    public async Task Every_datatype_goes_through_as_it_is(string datatype, TensorDataType type, string hex)
    {
        byte[] data = Convert.FromHexString(hex);
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("identity", Identity(type)));
        (HttpStatusCode status, string json, byte[] answer) = await AskAsync(server, "/v2/models/identity/infer",
            $$$"""{"inputs":[{"name":"x","shape":[2,3],"datatype":"{{{datatype}}}","parameters":{"binary_data_size":{{{data.Length}}}}}],"parameters":{"binary_data_output":true}}""", data);
        Assert.True(status == HttpStatusCode.OK, json);
        Assert.Equal($$$"""{"model_name":"identity","model_version":"1","outputs":[{"name":"y","datatype":"{{{datatype}}}","shape":[2,3],"parameters":{"binary_data_size":{{{data.Length}}}}}]}""", json);
        Assert.Equal(hex, Convert.ToHexString(answer));
    }

    [Fact]
    public async Task Json_and_binary_data_mix_in_one_request_and_one_answer()
    {
        await using TestServer server = await TwoAsync();
        (HttpStatusCode status, string json, byte[] answer) = await AskAsync(server, "/v2/models/two/versions/1/infer",
            """{"id":"7","model_name":"two","model_version":"1","inputs":[{"name":"b","shape":[1,2],"datatype":"FP32","data":[1,2]},{"name":"a","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}],"outputs":[{"name":"difference","parameters":{"binary_data":true}},{"name":"sum","parameters":{"binary_data":false}}],"parameters":{"binary_data_output":true}}""",
            Floats(10, 20));
        Assert.True(status == HttpStatusCode.OK, json);
        Assert.Equal("""{"model_name":"two","model_version":"1","id":"7","outputs":[{"name":"difference","datatype":"FP32","shape":[1,2],"parameters":{"binary_data_size":8}},{"name":"sum","datatype":"FP32","shape":[1,2],"data":[11,22]}]}""", json);
        Assert.Equal(Floats(9, 18), answer);
    }

    [Fact]
    public async Task The_data_follows_in_the_order_of_the_json()
    {
        await using TestServer server = await TwoAsync();
        (HttpStatusCode status, string json, byte[] answer) = await AskAsync(server, "/v2/models/two/infer",
            """{"inputs":[{"name":"b","shape":[2,2],"datatype":"FP32","parameters":{"binary_data_size":16}},{"parameters":{"binary_data_size":16,"mine":"yes","other":1.5},"name":"a","datatype":"FP32","shape":[2,2]}],"parameters":{"binary_data_output":true}}""",
            Floats(1, 2, 3, 4, 10, 20, 30, 40));
        Assert.True(status == HttpStatusCode.OK, json);
        Assert.Equal(Floats(11, 22, 33, 44, 9, 18, 27, 36), answer);
    }

    [Fact]
    public async Task Json_may_come_with_its_length_alone()
    {
        await using TestServer server = await TwoAsync();
        (HttpStatusCode status, string json, byte[] answer) = await AskAsync(server, "/v2/models/two/infer",
            """{"inputs":[{"name":"a","shape":[1,2],"datatype":"FP32","data":[1,2]},{"name":"b","shape":[1,2],"datatype":"FP32","data":[1,2]}]}""", []);
        Assert.True(status == HttpStatusCode.OK, json);
        Assert.Contains("\"data\":[2,4]", json, StringComparison.Ordinal);
        Assert.Empty(answer);
    }

    [Fact]
    public async Task Tensors_without_elements_have_no_bytes()
    {
        await using TestServer server = await TestServer.StartAsync(
            await (await new TestStore().AddAsync("numbers", Identity(TensorDataType.Float))).AddAsync("texts", Identity(TensorDataType.String)));
        foreach ((string model, string datatype) in new[] { ("numbers", "FP32"), ("texts", "BYTES") })
        {
            (HttpStatusCode status, string json, byte[] answer) = await AskAsync(server, $"/v2/models/{model}/infer",
                $$$"""{"inputs":[{"name":"x","shape":[0,2],"datatype":"{{{datatype}}}","parameters":{"binary_data_size":0},"data":null}],"parameters":{"binary_data_output":true}}""", []);
            Assert.True(status == HttpStatusCode.OK, json);
            Assert.Contains("\"shape\":[0,2],\"parameters\":{\"binary_data_size\":0}", json, StringComparison.Ordinal);
            Assert.Empty(answer);
        }
    }

    [Theory]
    [InlineData(4), InlineData(40)]
    public async Task A_body_without_json_is_the_one_input(int bytes)
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("half", TestModels.HalfPlusTwo));
        (HttpStatusCode status, string json, byte[] answer) = await AskAsync(server, "/v2/models/half/infer", "", new byte[bytes], "0");
        Assert.True(status == HttpStatusCode.OK, json);
        Assert.Equal($$$"""{"model_name":"half","model_version":"1","outputs":[{"name":"y","datatype":"FP32","shape":[{{{bytes / 4}}}],"parameters":{"binary_data_size":{{{bytes}}}}}]}""", json);
        Assert.Equal(Floats([.. Enumerable.Repeat(2f, bytes / 4)]), answer);
    }

    [Fact]
    public async Task A_text_without_json_is_the_one_element()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("text", Identity(TensorDataType.String)));
        (HttpStatusCode status, string json, byte[] answer) = await AskAsync(server, "/v2/models/text/infer", "", "h\u00e9"u8.ToArray(), "0");
        Assert.True(status == HttpStatusCode.OK, json);
        Assert.Equal(Texts("h\u00e9"), answer);
    }

    [Fact]
    public async Task Classes_go_as_binary_texts()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("identity", Identity(TensorDataType.BFloat16), labels: "apple\nbanana"));
        (HttpStatusCode status, string json, byte[] answer) = await AskAsync(server, "/v2/models/identity/infer",
            """{"inputs":[{"name":"x","shape":[1,3],"datatype":"BF16","parameters":{"binary_data_size":6}}],"outputs":[{"name":"y","parameters":{"classification":2,"binary_data":true}}]}""",
            [0x80, 0x3F, 0x00, 0x40, 0x00, 0xC0]);
        Assert.True(status == HttpStatusCode.OK, json);
        Assert.Contains("\"datatype\":\"BYTES\",\"shape\":[1,2],\"parameters\":{\"binary_data_size\":27}", json, StringComparison.Ordinal);
        Assert.Equal(Texts("2:1:banana", "1:0:apple"), answer);
    }

    [Fact]
    public async Task Pictures_go_as_the_files_they_are()
    {
        byte[] png = Cloister.Onnx.Pictures.PngWriter.Write(new Cloister.Onnx.Pictures.Picture(4, 2, [.. Enumerable.Repeat<byte[]>([51, 102, 255], 8).SelectMany(pixel => pixel)]));
        byte[] element = [.. BitConverter.GetBytes(png.Length), .. png];
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("mean", TestModels.PictureMean, """{"preprocess":"unit"}"""));
        (HttpStatusCode status, string json, _) = await AskAsync(server, "/v2/models/mean/infer",
            $$$"""{"inputs":[{"name":"picture","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":{{{2 * element.Length}}}}}]}""", [.. element, .. element]);
        Assert.True(status == HttpStatusCode.OK, json);
        Assert.Contains("\"shape\":[2,3],\"data\":[0.2,0.4,1,0.2,0.4,1]", json, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_large_tensor_goes_there_and_back_over_both_versions_of_http()
    {
        byte[] data = new byte[24 << 20];
        new Random(1).NextBytes(data);
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("identity", Identity(TensorDataType.UInt8)));
        using HttpClient second = server.CreateClient(http2: true);
        foreach (HttpClient client in new[] { server.Client, second })
        {
            using HttpRequestMessage request = Request("/v2/models/identity/infer",
                $$$"""{"inputs":[{"name":"x","shape":[24,1048576],"datatype":"UINT8","parameters":{"binary_data_size":{{{data.Length}}}}}],"parameters":{"binary_data_output":true}}""", data);
            request.Version = client.DefaultRequestVersion;
            (HttpStatusCode status, string json, byte[] answer) = await AskAsync(client, request);
            Assert.True(status == HttpStatusCode.OK, json);
            Assert.True(data.AsSpan().SequenceEqual(answer));
        }
    }

    private static async Task<TestServer> TwoAsync() => await TestServer.StartAsync(await new TestStore().AddAsync("two", TestModels.SumAndDifference));
}
