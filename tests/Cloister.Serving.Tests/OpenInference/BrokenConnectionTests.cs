using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Cloister.Onnx.Model;
using Cloister.Serving.Tests.Server;
using static Cloister.Serving.Tests.OpenInference.BinaryMessages;

namespace Cloister.Serving.Tests.OpenInference;

/// <summary>Clients that announce binary data and do not send it.</summary>
public sealed class BrokenConnectionTests
{
    private const string Json = """{"inputs":[{"name":"x","shape":[1,1000000],"datatype":"FP32","parameters":{"binary_data_size":4000000}}]}""";

    [Fact]
    public async Task Data_that_comes_too_slowly_is_cut_off()
    {
        await using TestServer server = await ServerAsync(options => options with { BodyGrace = TimeSpan.FromSeconds(2), MinimumBodyBytesPerSecond = 100_000 });
        (SslStream stream, _) = await ConnectAsync(server);
        await using (stream)
        {
            await stream.WriteAsync(Head(1000));
            Assert.StartsWith("HTTP/1.1 408 ", await ReadAsync(stream), StringComparison.Ordinal);
        }
        await DemandAliveAsync(server);
    }

    [Fact]
    public async Task Clients_that_go_away_in_the_middle_hurt_nobody()
    {
        await using TestServer server = await ServerAsync();
        for (int i = 0; i < 20; i++)
        {
            (SslStream stream, _) = await ConnectAsync(server);
            await using (stream) await stream.WriteAsync(Head(i * 500));
        }
        await DemandAliveAsync(server);
    }

    [Fact]
    public async Task A_body_that_ends_too_early_is_refused()
    {
        await using TestServer server = await ServerAsync();
        (SslStream stream, Socket socket) = await ConnectAsync(server);
        await using (stream)
        {
            await stream.WriteAsync(Head(1000));
            await stream.ShutdownAsync();
            socket.Shutdown(SocketShutdown.Send);
            string answer = await ReadAsync(stream);
            Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 400 ", StringComparison.Ordinal), answer);
        }
        await DemandAliveAsync(server);
    }

    [Fact]
    public async Task A_sum_that_cannot_be_right_is_answered_before_the_data_comes()
    {
        await using TestServer server = await ServerAsync();
        (SslStream stream, _) = await ConnectAsync(server);
        await using (stream)
        {
            byte[] json = Encoding.ASCII.GetBytes(Json);
            await stream.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes($"POST /v2/models/identity/infer HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{HeaderLength}: {json.Length}\r\nContent-Length: {json.Length + 3_999_999}\r\n\r\n"), .. json]);
            var start = new byte[64];
            int read = await stream.ReadAtLeastAsync(start, 13, throwOnEndOfStream: false);
            Assert.StartsWith("HTTP/1.1 400 ", Encoding.ASCII.GetString(start, 0, read), StringComparison.Ordinal);
        }
        await DemandAliveAsync(server);
    }

    private static byte[] Head(int data)
    {
        byte[] json = Encoding.ASCII.GetBytes(Json);
        string head = $"POST /v2/models/identity/infer HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{HeaderLength}: {json.Length}\r\nContent-Length: {json.Length + 4_000_000}\r\n\r\n";
        return [.. Encoding.ASCII.GetBytes(head), .. json, .. new byte[data]];
    }

    private static async Task<TestServer> ServerAsync(Func<InferenceOptions, InferenceOptions>? change = null) =>
        await TestServer.StartAsync(await new TestStore().AddAsync("identity", Identity(TensorDataType.Float)), change);

    private static async Task DemandAliveAsync(TestServer server)
    {
        (HttpStatusCode status, string json, byte[] data) = await AskAsync(server, "/v2/models/identity/infer",
            """{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}],"parameters":{"binary_data_output":true}}""", Floats(1, 2));
        Assert.True(status == HttpStatusCode.OK, json);
        Assert.Equal(Floats(1, 2), data);
    }

    private static async Task<(SslStream Stream, Socket Socket)> ConnectAsync(TestServer server)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, server.Host.Address.Port));
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true), false, (_, presented, _, _) => server.IsOwn(presented));
        await stream.AuthenticateAsClientAsync("localhost");
        return (stream, socket);
    }

    private static async Task<string> ReadAsync(SslStream stream)
    {
        using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        try
        {
            return await reader.ReadToEndAsync();
        }
        catch (IOException)
        {
            return "";
        }
    }
}
