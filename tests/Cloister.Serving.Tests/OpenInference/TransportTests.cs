using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Text;
using Cloister.Onnx.Model;
using Cloister.Serving.Tests.Server;
using static Cloister.Serving.Tests.OpenInference.BinaryMessages;

namespace Cloister.Serving.Tests.OpenInference;

/// <summary>The same requests in small parts, compressed, and by clients that are not .NET's.</summary>
public sealed class TransportTests
{
    [Theory]
    [InlineData(1, true), InlineData(7, false), InlineData(64, true), InlineData(1000, false)]
    public async Task A_request_may_come_in_parts_of_any_size(int part, bool announce)
    {
        (byte[] header, byte[] data) = Mixed(100);
        await using TestServer server = await ServerAsync();
        using HttpClient second = server.CreateClient(http2: true);
        foreach (HttpClient client in new[] { server.Client, second })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/models/identity/infer") { Content = new TrickledContent([.. header, .. data], part, announce), Version = client.DefaultRequestVersion };
            request.Headers.Add(HeaderLength, header.Length.ToString(System.Globalization.CultureInfo.InvariantCulture));
            (HttpStatusCode status, string json, byte[] answer) = await AskAsync(client, request);
            Assert.True(status == HttpStatusCode.OK, json);
            Assert.Equal(data, answer);
        }
    }

    [Theory]
    [InlineData("gzip"), InlineData("deflate")]
    public async Task Requests_and_answers_may_be_compressed(string coding)
    {
        (byte[] header, byte[] data) = Mixed(3000);
        await using TestServer server = await ServerAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/models/identity/infer") { Content = new ByteArrayContent(Pack([.. header, .. data], coding)) };
        request.Content.Headers.ContentEncoding.Add(coding);
        request.Headers.Add(HeaderLength, header.Length.ToString(System.Globalization.CultureInfo.InvariantCulture));
        request.Headers.Add("Accept-Encoding", $"br, {coding};q=0.5, identity;q=0.1");
        using HttpResponseMessage response = await server.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal([coding], response.Content.Headers.ContentEncoding);
        byte[] packed = await response.Content.ReadAsByteArrayAsync(), body = Unpack(packed, coding);
        Assert.True(packed.Length < body.Length);
        int length = int.Parse(response.Headers.GetValues(HeaderLength).Single(), System.Globalization.CultureInfo.InvariantCulture);
        Assert.Contains("\"binary_data_size\":" + data.Length, Encoding.UTF8.GetString(body, 0, length), StringComparison.Ordinal);
        Assert.Equal(data, body[length..]);
    }

    [Theory]
    [InlineData("identity"), InlineData("br"), InlineData("gzip;q=0"), InlineData("gzip;q=0.4, identity;q=0.5"), InlineData(";;"), InlineData("*")]
    public async Task Answers_are_compressed_only_for_who_asks(string accepted)
    {
        (byte[] header, byte[] data) = Mixed(3000);
        await using TestServer server = await ServerAsync();
        using HttpRequestMessage request = Request("/v2/models/identity/infer", Encoding.UTF8.GetString(header), data);
        request.Headers.TryAddWithoutValidation("Accept-Encoding", accepted);
        using HttpResponseMessage response = await server.Client.SendAsync(request);
        Assert.Empty(response.Content.Headers.ContentEncoding);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task Curl_sends_and_takes_binary_data()
    {
        if (!Exists("curl")) return;
        await using TestServer server = await ServerAsync();
        (byte[] header, byte[] data) = Mixed(300);
        string folder = Directory.CreateTempSubdirectory("cloister-curl-").FullName;
        try
        {
            await File.WriteAllBytesAsync(Path.Combine(folder, "body"), [.. header, .. data]);
            (int code, string output) = await RunAsync("curl", folder,
                "--silent", "--show-error", "--fail-with-body", "--insecure", "--compressed", "--max-time", "120", "--data-binary", "@body", "--header", "Content-Type: application/octet-stream",
                "--header", $"{HeaderLength}: {header.Length}", "--dump-header", "headers", "--output", "answer", new Uri(server.Host.Address, "/v2/models/identity/infer").ToString());
            Assert.True(code == 0, output);
            Assert.Equal(data, (await File.ReadAllBytesAsync(Path.Combine(folder, "answer")))[^data.Length..]);
            Assert.Contains("application/octet-stream", await File.ReadAllTextAsync(Path.Combine(folder, "headers")), StringComparison.OrdinalIgnoreCase);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Node_sends_and_takes_binary_data()
    {
        if (!Exists("node")) return;
        await using TestServer server = await ServerAsync();
        string script = """
            process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
            process.removeAllListeners('warning');
            const values = Float32Array.from({ length: 4096 }, (_, i) => i / 3);
            const header = Buffer.from(JSON.stringify({ inputs: [{ name: 'x', shape: [64, 64], datatype: 'FP32', parameters: { binary_data_size: values.byteLength } }], parameters: { binary_data_output: true } }));
            for (const encoding of ['identity', 'gzip', 'deflate']) {
              const answer = await fetch(process.argv[1], { method: 'POST', headers: { 'Inference-Header-Content-Length': String(header.length), 'Accept-Encoding': encoding }, body: Buffer.concat([header, Buffer.from(values.buffer)]) });
              const body = Buffer.from(await answer.arrayBuffer()), length = Number(answer.headers.get('inference-header-content-length'));
              const json = JSON.parse(body.subarray(0, length)), back = new Float32Array(body.buffer.slice(body.byteOffset + length, body.byteOffset + length + json.outputs[0].parameters.binary_data_size));
              console.log(answer.status, encoding, back.length, back.every((value, i) => value === values[i]));
            }
            """;
        (int code, string output) = await RunAsync("node", Path.GetTempPath(), "--no-warnings", "--input-type=module", "--eval", script, new Uri(server.Host.Address, "/v2/models/identity/infer").ToString());
        Assert.True(code == 0, output);
        Assert.Equal("200 identity 4096 true\n200 gzip 4096 true\n200 deflate 4096 true\n", output);
    }

    /// <summary>A request of many equal numbers, which compress, and texts beside them that JSON carries.</summary>
    private static (byte[] Header, byte[] Data) Mixed(int count)
    {
        byte[] data = Floats([.. Enumerable.Range(0, count).Select(i => (float)(i % 3))]);
        string json = $$$"""{"id":"\u00e4","inputs":[{"name":"x","shape":[1,{{{count}}}],"datatype":"FP32","parameters":{"binary_data_size":{{{data.Length}}}}}],"outputs":[{"name":"y","parameters":{"binary_data":true}}]}""";
        return (Encoding.UTF8.GetBytes(json), data);
    }

    private static async Task<TestServer> ServerAsync() => await TestServer.StartAsync(await new TestStore().AddAsync("identity", Identity(TensorDataType.Float)));

    private static byte[] Pack(byte[] bytes, string coding)
    {
        var packed = new MemoryStream();
        using (Stream into = coding == "gzip" ? new GZipStream(packed, CompressionLevel.Fastest, true) : new ZLibStream(packed, CompressionLevel.Fastest, true)) into.Write(bytes);
        return packed.ToArray();
    }

    private static byte[] Unpack(byte[] packed, string coding)
    {
        var plain = new MemoryStream();
        using Stream from = coding == "gzip" ? new GZipStream(new MemoryStream(packed), CompressionMode.Decompress) : new ZLibStream(new MemoryStream(packed), CompressionMode.Decompress);
        from.CopyTo(plain);
        return plain.ToArray();
    }

    private static bool Exists(string program)
    {
        bool found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));
        if (!found) Console.WriteLine($"Skipped: there is no {program} on this machine.");
        return found;
    }

    private static async Task<(int Code, string Output)> RunAsync(string program, string folder, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await errors);
    }
}
