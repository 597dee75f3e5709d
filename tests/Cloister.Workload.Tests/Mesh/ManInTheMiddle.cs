using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Cloister.Tests.Mesh;

/// <summary>Ends TLS under a certificate of its own and passes every byte on, both ways, to the real server, which it reads on the way.</summary>
internal sealed class ManInTheMiddle : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly X509Certificate2 _certificate = TestCertificate.Create();
    private readonly SslApplicationProtocol _protocol;
    private readonly int _server;
    private readonly MemoryStream _seen = new();
    private readonly Task _running;

    public ManInTheMiddle(int server, SslApplicationProtocol protocol)
    {
        (_server, _protocol) = (server, protocol);
        _listener.Start();
        _running = RunAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Everything the victim sent, in clear.</summary>
    public byte[] Seen
    {
        get
        {
            lock (_seen)
                return _seen.ToArray();
        }
    }

    private async Task RunAsync()
    {
        var passing = new List<Task>();
        try
        {
            while (true)
                passing.Add(PassAsync(await _listener.AcceptTcpClientAsync(_end.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(passing);
        }
    }

    private async Task PassAsync(TcpClient victim)
    {
        using (victim)
        using (var server = new TcpClient())
        {
            try
            {
                await using var inner = new SslStream(victim.GetStream());
                await inner.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
                {
                    ServerCertificate = _certificate,
                    ApplicationProtocols = [_protocol],
                    ClientCertificateRequired = false,
                }, _end.Token);
                await server.ConnectAsync(IPAddress.Loopback, _server, _end.Token);
                await using var outer = new SslStream(server.GetStream(), false, (_, certificate, _, _) => certificate is not null);
                await outer.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
                {
                    TargetHost = "localhost",
                    ApplicationProtocols = [_protocol],
                    ClientCertificates = [_certificate],
                }, _end.Token);
                await Task.WhenAny(CopyAsync(inner, outer, record: true), CopyAsync(outer, inner, record: false));
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
            {
                // The victim hung up, as it should.
            }
        }
    }

    private async Task CopyAsync(Stream from, Stream to, bool record)
    {
        byte[] buffer = new byte[16 << 10];
        try
        {
            while (await from.ReadAsync(buffer, _end.Token) is > 0 and int read)
            {
                if (record)
                {
                    lock (_seen)
                        _seen.Write(buffer, 0, read);
                }
                await to.WriteAsync(buffer.AsMemory(0, read), _end.Token);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // One end is gone; the other follows.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _running;
        _listener.Dispose();
        _certificate.Dispose();
        _end.Dispose();
        await _seen.DisposeAsync();
    }
}
