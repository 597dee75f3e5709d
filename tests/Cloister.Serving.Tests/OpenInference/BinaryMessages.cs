using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Cloister.Onnx.Model;
using Cloister.Serving.Tests.Server;

namespace Cloister.Serving.Tests.OpenInference;

/// <summary>Requests and answers of the binary tensor data extension, byte by byte.</summary>
internal static class BinaryMessages
{
    public const string HeaderLength = "Inference-Header-Content-Length";

    /// <summary>y = x of one element type, free in two dimensions.</summary>
    public static byte[] Identity(TensorDataType type) => new ModelProto
    {
        IrVersion = 8,
        OpsetImport = [new OperatorSetIdProto { Domain = "", Version = 16 }],
        Graph = new GraphProto
        {
            Name = "identity",
            Nodes = [new NodeProto { OpType = "Identity", Inputs = ["x"], Outputs = ["y"] }],
            Inputs = [ValueInfoProto.Tensor("x", type, "N", "M")],
            Outputs = [ValueInfoProto.Tensor("y", type, "N", "M")],
        },
    }.ToBytes();

    /// <summary>A request: JSON, then data.</summary>
    public static HttpRequestMessage Request(string path, string json, byte[] data, string? headerLength = null)
    {
        byte[] header = Encoding.UTF8.GetBytes(json);
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent([.. header, .. data]) };
        request.Headers.Add(HeaderLength, headerLength ?? header.Length.ToString(CultureInfo.InvariantCulture));
        return request;
    }

    /// <summary>Sends a request; the answer's JSON and what follows it.</summary>
    public static async Task<(HttpStatusCode Status, string Json, byte[] Data)> AskAsync(TestServer server, string path, string json, byte[] data, string? headerLength = null)
    {
        using HttpRequestMessage request = Request(path, json, data, headerLength);
        return await AskAsync(server.Client, request);
    }

    public static async Task<(HttpStatusCode Status, string Json, byte[] Data)> AskAsync(HttpClient client, HttpRequestMessage request)
    {
        using HttpResponseMessage response = await client.SendAsync(request);
        byte[] body = await response.Content.ReadAsByteArrayAsync();
        if (!response.Headers.TryGetValues(HeaderLength, out IEnumerable<string>? lengths)) return (response.StatusCode, Encoding.UTF8.GetString(body), []);
        int length = int.Parse(lengths.Single(), CultureInfo.InvariantCulture);
        return (response.StatusCode, Encoding.UTF8.GetString(body, 0, length), body[length..]);
    }

    /// <summary>Texts as the extension carries them.</summary>
    public static byte[] Texts(params string[] texts)
    {
        var bytes = new List<byte>();
        foreach (string text in texts)
        {
            byte[] utf8 = Encoding.UTF8.GetBytes(text), length = new byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(length, utf8.Length);
            bytes.AddRange(length);
            bytes.AddRange(utf8);
        }
        return [.. bytes];
    }

    public static byte[] Floats(params float[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    public static string Reason(string answer)
    {
        using JsonDocument document = JsonDocument.Parse(answer);
        return document.RootElement.GetProperty("error").GetString()!;
    }
}
