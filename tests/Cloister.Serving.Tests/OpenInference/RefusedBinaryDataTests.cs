using System.IO.Compression;
using System.Net;
using System.Text;
using Cloister.Onnx.Model;
using Cloister.Serving.Tests.Server;
using static Cloister.Serving.Tests.OpenInference.BinaryMessages;

namespace Cloister.Serving.Tests.OpenInference;

/// <summary>Binary data that does not add up has its precise answer, and the server goes on.</summary>
public sealed class RefusedBinaryDataTests
{
    public static TheoryData<string, int, string?, string> Sums() => new()
    {
        { Input(8), 8, "1000", "Inference-Header-Content-Length is 1000, but the body has 123 bytes." },
        { Input(8), 8, "-1", "Inference-Header-Content-Length must be one whole number: the bytes of JSON that the body begins with." },
        { Input(8), 8, "+115", "Inference-Header-Content-Length must be one whole number: the bytes of JSON that the body begins with." },
        { Input(8), 8, "99999999999999999999", "Inference-Header-Content-Length must be one whole number: the bytes of JSON that the body begins with." },
        { Input(8), 8, "114", "The body is not valid JSON: the document ends too early (byte 114)." },
        { Input(8), 8, "0", "A body without JSON does not do: input 'x' of shape [-1,-1] leaves more than one dimension open. Send a JSON that says the shape." },
        { Input(8), 7, null, "The body has 122 bytes: 115 of JSON leave 7 for binary data, but the inputs announce 8." },
        { Input(8), 9, null, "The body has 124 bytes: 115 of JSON leave 9 for binary data, but the inputs announce 8." },
        { Input(8), 0, null, "The body has 115 bytes: 115 of JSON leave 0 for binary data, but the inputs announce 8." },
        { Input(7), 7, null, "Input 'x' has 7 bytes of binary data where FP32 of shape [1,2] takes 8." },
        { Input(0), 0, null, "Input 'x' has 0 bytes of binary data where FP32 of shape [1,2] takes 8." },
        { Input(-8), 8, null, "Parameter 'binary_data_size' must be a whole number from 0 to 9223372036854775807." },
        { Input("8.0"), 8, null, "Parameter 'binary_data_size' must be a whole number from 0 to 9223372036854775807." },
        { Input("\"8\""), 8, null, "Parameter 'binary_data_size' must be a whole number from 0 to 9223372036854775807." },
        { Input("8,\"binary_data_size\":8"), 8, null, "'binary_data_size' stands there twice (byte 132)." },
        { Input("8},\"data\":[1,2],\"more\":{\"x\":1"), 8, null, "Member 'more' of an input is unknown; known are name, shape, datatype, parameters, data (byte 133)." },
        { """{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2],"parameters":{"binary_data_size":8}}]}""", 8, null, "Input 'x' has both 'data' and 'binary_data_size' (byte 11)." },
        { """{"inputs":[{"name":"x","shape":[65536,65536],"datatype":"FP32","parameters":{"binary_data_size":17179869184}}]}""", 8, null, "Input 'x' announces 17179869184 bytes, more than the 67108753 that a request to this model may have." },
        { """{"inputs":[{"name":"x","shape":[2147483647,2147483647],"datatype":"FP32","parameters":{"binary_data_size":8}}]}""", 8, null, "Input 'x': no tensor has as many values as shape [2147483647,2147483647] wants." },
        { """{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}},{"name":"x","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}]}""", 16, null, "Input 'x' stands there twice (byte 92)." },
        { """{"inputs":[]}""", 4, null, "The body has 17 bytes: 13 of JSON leave 4 for binary data, but the inputs announce 0." },
        { """{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP16","parameters":{"binary_data_size":4}}]}""", 4, null, "Input 'x' takes FP32, not FP16." },
    };

    [Theory, MemberData(nameof(Sums))]
    public async Task What_does_not_add_up_is_refused(string json, int bytes, string? headerLength, string reason)
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("identity", Identity(TensorDataType.Float)));
        (HttpStatusCode status, string answer, _) = await AskAsync(server, "/v2/models/identity/infer", json, new byte[bytes], headerLength);
        Assert.Equal(reason, Reason(answer));
        Assert.True(status is HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge, status.ToString());
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(server, "/v2/models/identity/infer", Input(8), new byte[8])).Status);
    }

    [Theory]
    [InlineData("03000000616263", 1, "The binary data of input 'x' does not add up: it holds 1 elements where the shape wants 2.")]
    [InlineData("0100000061010000006201000000", 2, "The binary data of input 'x' does not add up: element 2 announces 1 bytes, 0 are left.")]
    [InlineData("010000006101000000620000", 2, "The binary data of input 'x' does not add up: 2 bytes are left where the length of element 2 should stand.")]
    [InlineData("0100000061FFFFFFFF62", 2, "The binary data of input 'x' does not add up: element 1 announces 4294967295 bytes, 1 are left.")]
    [InlineData("010000006101000000620000000000", 2, "The binary data of input 'x' does not add up: 1 bytes are left where the length of element 3 should stand.")]
    [InlineData("0100000061010000006200000000", 2, "The binary data of input 'x' does not add up: it holds 3 elements where the shape wants 2.")]
    [InlineData("0100000061010000FFFF", 2, "The binary data of input 'x' does not add up: element 1 announces 4278190081 bytes, 1 are left.")]
    [InlineData("010000006101000000FF", 2, "Input 'x': value 1 is not UTF-8 text without zero characters.")]
    [InlineData("01000000610100000000", 2, "Input 'x': value 1 is not UTF-8 text without zero characters.")]
    public async Task Texts_whose_lengths_do_not_add_up_are_refused(string hex, int elements, string reason)
    {
        byte[] data = Convert.FromHexString(hex);
        Assert.True(elements is 1 or 2);
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("identity", Identity(TensorDataType.String)));
        (HttpStatusCode status, string answer, _) = await AskAsync(server, "/v2/models/identity/infer",
            $$$"""{"inputs":[{"name":"x","shape":[1,2],"datatype":"BYTES","parameters":{"binary_data_size":{{{data.Length}}}}}]}""", data);
        Assert.Equal((HttpStatusCode.BadRequest, reason), (status, Reason(answer)));
    }

    [Fact]
    public async Task A_truth_value_is_zero_or_one()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("identity", Identity(TensorDataType.Bool)));
        (HttpStatusCode status, string answer, _) = await AskAsync(server, "/v2/models/identity/infer",
            """{"inputs":[{"name":"x","shape":[1,2],"datatype":"BOOL","parameters":{"binary_data_size":2}}]}""", [1, 2]);
        Assert.Equal((HttpStatusCode.BadRequest, "Input 'x': a BOOL is one byte, 0 or 1."), (status, Reason(answer)));
    }

    [Fact]
    public async Task A_body_without_json_must_fit_the_one_input()
    {
        await using TestServer server = await TestServer.StartAsync(
            await (await new TestStore().AddAsync("half", TestModels.HalfPlusTwo)).AddAsync("two", TestModels.SumAndDifference));
        (HttpStatusCode status, string answer, _) = await AskAsync(server, "/v2/models/half/infer", "", new byte[6], "0");
        Assert.Equal((HttpStatusCode.BadRequest, "A body without JSON does not do: input 'x' of shape [-1] takes 4 bytes an item, which do not divide 6. Send a JSON that says the shape."), (status, Reason(answer)));
        (status, answer, _) = await AskAsync(server, "/v2/models/two/infer", "", new byte[8], "0");
        Assert.Equal((HttpStatusCode.BadRequest, "A body without JSON suits models of one input; model 'two' has 2."), (status, Reason(answer)));
    }

    [Fact]
    public async Task The_length_must_stand_there_once()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("identity", Identity(TensorDataType.Float)));
        using HttpRequestMessage request = Request("/v2/models/identity/infer", Input(8), new byte[8]);
        request.Headers.Add(HeaderLength, "115");
        (HttpStatusCode status, string answer, _) = await AskAsync(server.Client, request);
        Assert.Equal((HttpStatusCode.BadRequest, "Inference-Header-Content-Length must be one whole number: the bytes of JSON that the body begins with."), (status, Reason(answer)));
    }

    [Theory]
    [InlineData(7, "The body ends after 7 of the 8 bytes that input 'x' announces.")]
    [InlineData(9, "More bytes follow than the inputs announce with 'binary_data_size'.")]
    [InlineData(-1, "The body ends after 114 of the 115 bytes that Inference-Header-Content-Length announces.")]
    public async Task A_body_of_no_announced_length_must_end_where_its_data_does(int bytes, string reason)
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("identity", Identity(TensorDataType.Float)));
        byte[] body = [.. Encoding.UTF8.GetBytes(Input(8)), .. new byte[16]];
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/models/identity/infer") { Content = new TrickledContent(body[..(115 + bytes)], 50, announce: false) };
        request.Headers.Add(HeaderLength, "115");
        (HttpStatusCode status, string answer, _) = await AskAsync(server.Client, request);
        Assert.Equal((HttpStatusCode.BadRequest, reason), (status, Reason(answer)));
    }

    [Theory]
    [InlineData("gzip"), InlineData("deflate")]
    public async Task What_inflates_without_end_is_refused_at_the_limit(string coding)
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("identity", Identity(TensorDataType.Float)), options => options with { MaximumRequestBytes = 1 << 20 });
        var packed = new MemoryStream();
        await using (Stream into = coding == "gzip" ? new GZipStream(packed, CompressionLevel.SmallestSize, true) : new ZLibStream(packed, CompressionLevel.SmallestSize, true))
        {
            byte[] nothing = new byte[1 << 20];
            for (int i = 0; i < 64; i++) await into.WriteAsync(nothing);
        }
        Assert.True(packed.Length < 1 << 20);
        foreach (string? headerLength in new[] { null, "0", "10", "60000000" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/models/identity/infer") { Content = new ByteArrayContent(packed.ToArray()) };
            request.Content.Headers.ContentEncoding.Add(coding);
            if (headerLength is not null) request.Headers.Add(HeaderLength, headerLength);
            using HttpResponseMessage response = await server.Client.SendAsync(request);
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        }
    }

    [Fact]
    public async Task A_picture_that_is_none_is_refused()
    {
        await using TestServer server = await TestServer.StartAsync(await new TestStore().AddAsync("mean", TestModels.PictureMean, """{"preprocess":"unit"}"""));
        (HttpStatusCode status, string answer, _) = await AskAsync(server, "/v2/models/mean/infer",
            """{"inputs":[{"name":"picture","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":8}}]}""", Texts("GIF8"));
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.StartsWith("Input 'picture', picture 0: ", Reason(answer), StringComparison.Ordinal);
    }

    private static string Input(int size) => Input(size.ToString(System.Globalization.CultureInfo.InvariantCulture));

    private static string Input(string size) =>
        $$$"""{"id":"01234567890123","inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":{{{size}}}}}]}""";
}
