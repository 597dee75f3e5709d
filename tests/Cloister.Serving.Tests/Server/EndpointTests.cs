using System.Net;
using System.Net.Sockets;

namespace Cloister.Serving.Tests.Server;

/// <summary>The further addresses of one server.</summary>
public sealed class EndpointTests
{
    [Fact]
    public async Task A_second_port_speaks_http2_alone()
    {
        await using TestServer server = await StartAsync(new ServingEndpoint(new IPEndPoint(IPAddress.Loopback, 0)) { Http2Only = true });
        using HttpClient http2 = server.CreateClient(http2: true), http1 = server.CreateClient();
        var address = new Uri(new Uri(server.Host.Addresses[1]), "/v2/health/live");
        Assert.Equal(HttpStatusCode.OK, (await http2.GetAsync(address)).StatusCode);
        await Assert.ThrowsAsync<HttpRequestException>(() => http1.GetAsync(address));
    }

    [Fact]
    public async Task Without_tls_a_loopback_port_and_a_socket_answer()
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("cloister-").FullName, "serving");
        await using TestServer server = await StartAsync(
            new ServingEndpoint(new IPEndPoint(IPAddress.Loopback, 0)) { Http2Only = true, Plaintext = true },
            new ServingEndpoint(new UnixDomainSocketEndPoint(path)) { Plaintext = true });
        using var client = new HttpClient { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        Assert.StartsWith("http://127.0.0.1:", server.Host.Addresses[1], StringComparison.Ordinal);
        Assert.Equal("""{"live":true}""", await client.GetStringAsync(new Uri(new Uri(server.Host.Addresses[1]), "/v2/health/live")));

        using var handler = new SocketsHttpHandler();
        handler.ConnectCallback = async (_, cancellation) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        };
        using var local = new HttpClient(handler);
        Assert.Equal("""{"live":true}""", await local.GetStringAsync(new Uri("http://localhost/v2/health/live")));
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }

    [Fact]
    public async Task Other_machines_are_never_served_without_tls()
    {
        var open = new ServingEndpoint(new IPEndPoint(IPAddress.Any, 0)) { Plaintext = true };
        ArgumentException refusal = await Assert.ThrowsAsync<ArgumentException>(() => StartAsync(open));
        Assert.Equal("0.0.0.0:0 would be served without TLS to other machines; use TLS there, or a loopback address.", refusal.Message);
    }

    private static async Task<TestServer> StartAsync(params ServingEndpoint[] further) =>
        await TestServer.StartAsync(new TestStore(), options => options with { FurtherEndpoints = further });
}
