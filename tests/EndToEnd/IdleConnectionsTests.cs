using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Cloister.Client;

namespace Cloister.EndToEnd;

/// <summary>Ten thousand connections that say nothing, and as many that stop in the middle of something, keep nobody out.</summary>
public sealed class IdleConnectionsTests
{
    private const int Wanted = 10_000, Unfinished = 200;

    [Fact]
    public async Task Ten_thousand_idle_connections_keep_nobody_out()
    {
        await using Deployment deployment = await Deployment.CreateAsync();
        await deployment.StartCoordinatorAsync();
        await UnverifiedCoordinator.SetManifestAsync(deployment.ClientAddress, Encoding.UTF8.GetBytes(
            $$"""{ "Packages": { "job": {{deployment.Package(new string('a', 64))}} }, "Marbles": { "job": { "Package": "job" } } }"""), []);
        string[] mesh = deployment.MeshAddress.Split(':');
        var clientPort = new IPEndPoint(IPAddress.Loopback, deployment.ClientAddress.Port);
        var meshPort = new IPEndPoint(IPAddress.Parse(mesh[0]), int.Parse(mesh[1], System.Globalization.CultureInfo.InvariantCulture));
        // This process needs files as well; the coordinator has the same limit.
        int idle = Math.Min(Wanted, OpenFiles() - 2_000);
        var held = new List<IDisposable>(idle);
        try
        {
            for (int i = 0; i < idle; i++)
            {
                held.Add(await ConnectAsync(clientPort));
                if (i % (idle / 5) == 0)
                    await deployment.VerifyAsync();
            }
            for (int i = 0; i < Unfinished; i++)
            {
                held.Add(await StopInsideAsync(i % 2 == 0 ? clientPort : meshPort, i));
                held.Add(await ConnectAsync(meshPort));
            }
            await deployment.VerifyAsync();
            await deployment.VerifyAsync();
        }
        finally
        {
            held.ForEach(connection => connection.Dispose());
        }
        await deployment.VerifyAsync();
    }

    private static int OpenFiles() => File.ReadLines("/proc/self/limits").First(line => line.StartsWith("Max open files", StringComparison.Ordinal))
        .Split(' ', StringSplitOptions.RemoveEmptyEntries)[3] is var soft && int.TryParse(soft, out int limit) ? limit : Wanted * 2;

    private static async Task<Socket> ConnectAsync(IPEndPoint to)
    {
        var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(to);
        return socket;
    }

    // In the middle of a TLS record, after the handshake, or in the middle of a request's head.
    private static async Task<IDisposable> StopInsideAsync(IPEndPoint to, int how)
    {
        var stream = new NetworkStream(await ConnectAsync(to), ownsSocket: true);
        if (how % 3 == 0)
        {
            await stream.WriteAsync(new byte[] { 0x16, 0x03, 0x01, 0x02, 0x00, 0x01 });
            return stream;
        }
        var tls = new SslStream(stream, leaveInnerStreamOpen: false);
        try
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", RemoteCertificateValidationCallback = (_, server, _, _) => server is not null });
            if (how % 3 == 1)
                await tls.WriteAsync("GET /api/v3/status HTTP/1.1\r\nHost: x\r\nX-Ne"u8.ToArray());
        }
        catch (Exception refused) when (refused is IOException or System.Security.Authentication.AuthenticationException)
        {
            // The mesh port asks for a client certificate: such a connection is ended there, which is as good.
        }
        return tls;
    }
}
