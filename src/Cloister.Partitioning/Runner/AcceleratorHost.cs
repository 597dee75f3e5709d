using System.Net.Security;
using System.Net.Sockets;
using System.Numerics;
using System.Security.Cryptography.X509Certificates;
using Cloister.Partitioning.Runner.Hosting;
using Cloister.Partitioning.Runner.Wire;
using Microsoft.Extensions.Logging;

namespace Cloister.Partitioning.Runner;

/// <summary>
/// An accelerator: a process that nobody trusts, runs any model it is sent and gives back what comes out. It is exposed to strangers
/// itself: everything they may ask for has a cap, and a model or a run that ONNX Runtime refuses is refused. What a model computes with
/// has none: give the process a limit of memory.
/// </summary>
public static class AcceleratorHost
{
    private static readonly TimeSpan AfterRefusal = TimeSpan.FromMilliseconds(50);

    /// <summary>Serves until cancelled.</summary>
    /// <param name="address">Where to listen; a Unix socket is made for this user alone, and takes workloads with shared memory too.</param>
    /// <param name="options">What it may spend.</param>
    /// <param name="logger">Told of connections, models and refusals.</param>
    /// <param name="cancellation">Ends it; connections are dropped.</param>
    /// <param name="listening">Called once peers can connect, with the address they reach: its port, and by TLS the key it is known by.</param>
    /// <exception cref="ArgumentException">A certificate is given for an address without TLS, or the address names the key that only workloads need.</exception>
    /// <exception cref="PartitioningException"><see cref="PartitioningError.AddressUnusable"/> or <see cref="PartitioningError.CertificateRefused"/>.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static async Task RunAsync(AcceleratorAddress address, AcceleratorOptions options, ILogger logger, CancellationToken cancellation, Action<AcceleratorAddress>? listening = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaximumConnections, 1, nameof(options));
        bool secure = address.Transport == AcceleratorTransport.Tls;
        if (options.Certificate is not null && !secure)
            throw new ArgumentException($"A certificate is of no use at {address}: listen at tls:host:port.", nameof(options));
        if (address.Pin is not null)
            throw new ArgumentException($"An accelerator listens at tls:host:port; the key by which workloads know it follows from its certificate, not from '{address}'.", nameof(address));
        using X509Certificate2? made = secure && options.Certificate is null ? LinkTls.Make(options.TimeProvider.GetUtcNow()) : null;
        X509Certificate2? certificate = options.Certificate ?? made;
        SslServerAuthenticationOptions? tls = certificate is null ? null : LinkTls.ForAccelerator(certificate);
        (Socket listener, AcceleratorAddress reached) = await AcceleratorSocket.ListenAsync(address, cancellation);
        if (certificate is not null) reached = reached.WithPin(LinkTls.Pin(certificate));
        using var shared = new HostShared(options, tls, logger);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var peers = new HashSet<Task>();
        try
        {
            using (listener)
            {
                logger.HostListens(reached);
                listening?.Invoke(reached);
                await AcceptAsync(listener, shared, peers, !address.IsTcp, ending.Token);
            }
        }
        finally
        {
            await ending.CancelAsync();
            await Task.WhenAll(peers); // the listener took its file away with itself: another accelerator may stand there by now
        }
    }

    private static async Task AcceptAsync(Socket listener, HostShared shared, HashSet<Task> peers, bool mayShareMemory, CancellationToken cancellation)
    {
        long failed = 0, turnedAway = 0;
        for (long number = 1; ; number++)
        {
            Socket socket;
            try
            {
                socket = await listener.AcceptAsync(cancellation);
            }
            catch (SocketException refused)
            {
                // The peer is gone already, or the process has no descriptor left until another peer is.
                if (BitOperations.IsPow2(++failed)) shared.Logger.AcceptFailed(refused.Message, failed);
                await Task.Delay(AfterRefusal, shared.Options.TimeProvider, cancellation);
                continue;
            }
            peers.RemoveWhere(peer => peer.IsCompleted);
            if (peers.Count >= shared.Options.MaximumConnections)
            {
                if (BitOperations.IsPow2(++turnedAway)) shared.Logger.TooManyPeers(shared.Options.MaximumConnections, turnedAway);
                socket.Dispose();
                continue;
            }
            long connection = number;
            // A peer whose bytes are always there already never gives the thread back: it gets one of its own.
            peers.Add(Task.Run(() => ServeAsync(socket, shared, connection, mayShareMemory, cancellation), CancellationToken.None));
        }
    }

    private static async Task ServeAsync(Socket socket, HostShared shared, long number, bool mayShareMemory, CancellationToken cancellation)
    {
        shared.Logger.PeerConnected(number);
        using var peer = new PeerConnection(socket, shared, number, mayShareMemory);
        try
        {
            AcceleratorSocket.Tune(socket);
            await peer.RunAsync(cancellation);
            shared.Logger.PeerEnded(number, "the peer closed it");
        }
        catch (OperationCanceledException)
        {
            shared.Logger.PeerEnded(number, "the accelerator ends");
        }
        catch (WireException fault) when (fault.Fault == AcceleratorFault.Disconnected)
        {
            shared.Logger.PeerEnded(number, fault.Message);
        }
        catch (Exception refused) when (refused is WireException or RefusedException)
        {
            shared.Logger.PeerRefused(number, refused.Message);
        }
        catch (Exception unexpected)
        {
            shared.Logger.PeerFailed(number, unexpected); // one peer's failure is not the others'
        }
    }
}
