using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Cloister.Partitioning.Runner;

namespace Cloister.Partitioning.Tests.Runner;

/// <summary>Somebody who listens on TCP and does what a test says with the bytes.</summary>
internal sealed class RawPeer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Task _running;

    public RawPeer(Func<NetworkStream, CancellationToken, Task> script)
    {
        _listener.Start();
        _running = AcceptAsync(script);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public AcceleratorAddress Address(string pin) => AcceleratorAddress.Parse($"tls:127.0.0.1:{Port}#sha256:{pin}");

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _running.WaitAsync(RunningHost.Patience);
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync(Func<NetworkStream, CancellationToken, Task> script)
    {
        var peers = new List<Task>();
        try
        {
            while (true) peers.Add(PlayAsync(script, await _listener.AcceptTcpClientAsync(_end.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(peers);
        }
    }

    private async Task PlayAsync(Func<NetworkStream, CancellationToken, Task> script, TcpClient peer)
    {
        using (peer)
        {
            try
            {
                await script(peer.GetStream(), _end.Token);
            }
            catch (Exception ended) when (ended is IOException or AuthenticationException or OperationCanceledException)
            {
                // The other side hung up, or the test is over.
            }
        }
    }
}
