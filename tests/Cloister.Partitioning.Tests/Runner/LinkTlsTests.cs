using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Onnx.Runtime;
using Cloister.Partitioning.Runner;
using Cloister.Partitioning.Runner.Wire;
using Cloister.Serving.Tests.Execution;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Partitioning.Tests.Runner;

/// <summary>TLS on a link: which key is taken, what is refused and in which words, and that nothing is in clear. Plain answers over it: <see cref="PoolEndToEndTests"/>.</summary>
public sealed class LinkTlsTests
{
    private static readonly TimeSpan Patience = RunningHost.Patience;
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_key_is_known_by_the_digest_of_its_SubjectPublicKeyInfo_whatever_else_the_certificate_says()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using X509Certificate2 certificate = Certificate("CN=somebody else", key, DateTimeOffset.UnixEpoch); // long over
        await using RunningHost host = await RunningHost.StartAsync("tls", new AcceleratorOptions { Threads = 1, Certificate = certificate });
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo())), host.Address.Pin);
        await AnswersAsync(host.Address);
    }

    [Fact]
    public async Task Another_key_is_refused_and_told()
    {
        await using RunningHost host = await RunningHost.StartAsync("tls");
        string wrong = new('0', 64);
        string told = await FaultAsync(host.Address.WithPin(wrong), AcceleratorFault.OtherKey);
        Assert.Contains(host.Address.Pin!, told, StringComparison.Ordinal);
        await AnswersAsync(host.Address);
    }

    [Fact]
    public async Task Who_speaks_TLS_1_2_alone_is_refused()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = Certificate("CN=old", key, DateTimeOffset.UtcNow);
        await using var old = new RawPeer(async (stream, end) =>
        {
            await using var tls = new SslStream(stream);
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate, EnabledSslProtocols = Old }, end);
        });
        Assert.Contains("TLS 1.3", await FaultAsync(old.Address(LinkTls.Pin(certificate)), AcceleratorFault.NoTls), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plain_accelerator_at_an_address_with_TLS_is_refused()
    {
        var log = new FaultWatch();
        await using RunningHost host = await RunningHost.StartAsync("tcp", logger: log);
        AcceleratorAddress address = AcceleratorAddress.Parse($"tls:127.0.0.1:{host.Address.Port}").WithPin(new string('0', 64));
        Assert.Contains("tls:", await FaultAsync(address, AcceleratorFault.NoTls), StringComparison.Ordinal);
        Assert.Contains("begins TLS", await log.FirstAsync(FaultWatch.PeerRefused), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plain_workload_at_an_accelerator_with_TLS_is_refused()
    {
        var log = new FaultWatch();
        await using RunningHost host = await RunningHost.StartAsync("tls", logger: log);
        Assert.Contains("begins with tls:", await FaultAsync(AcceleratorAddress.Parse($"tcp:127.0.0.1:{host.Address.Port}")), StringComparison.Ordinal);
        Assert.Contains("TLS 1.3 could not be agreed on", await log.FirstAsync(FaultWatch.PeerRefused), StringComparison.Ordinal);
        await AnswersAsync(host.Address);
    }

    [Fact]
    public async Task A_workload_of_TLS_1_2_is_refused_and_the_next_is_served()
    {
        var log = new FaultWatch();
        await using RunningHost host = await RunningHost.StartAsync("tls", logger: log);
        using Socket socket = await AcceleratorSocket.ConnectAsync(host.Address, None);
        await using var tls = new SslStream(new NetworkStream(socket));
        await Assert.ThrowsAnyAsync<Exception>(() => tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost", EnabledSslProtocols = Old, RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null, // it is the one that is to be refused
        }).WaitAsync(Patience));
        Assert.Contains("TLS 1.3", await log.FirstAsync(FaultWatch.PeerRefused), StringComparison.Ordinal);
        await AnswersAsync(host.Address);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_is_silent_in_the_handshake_loses_the_connection(bool accelerator)
    {
        var time = new ManualTime();
        var log = new FaultWatch();
        var reached = new TaskCompletionSource();
        if (accelerator)
        {
            await using var silent = new RawPeer((_, end) =>
            {
                reached.TrySetResult();
                return Task.Delay(Timeout.Infinite, end);
            });
            using BackNet back = TinyModels.Open(TinyModels.Twice());
            await using AcceleratorPool pool = AcceleratorPool.Start(back, [silent.Address(new string('0', 64))], new AcceleratorPoolOptions { StallTimeout = TimeSpan.FromHours(1), TimeProvider = time }, log);
            await reached.Task.WaitAsync(Patience);
            Assert.Contains(nameof(AcceleratorFault.Stalled), await LateAsync(time, log.FirstAsync(FaultWatch.Failed)), StringComparison.Ordinal);
        }
        else
        {
            await using RunningHost host = await RunningHost.StartAsync("tls", new AcceleratorOptions { PeerTimeout = TimeSpan.FromHours(1), TimeProvider = time }, log);
            using Socket silent = await AcceleratorSocket.ConnectAsync(host.Address, None);
            Assert.Contains("took longer", await LateAsync(time, log.FirstAsync(FaultWatch.PeerRefused)), StringComparison.Ordinal);
            Assert.Equal(0, await silent.ReceiveAsync(new byte[1]).WaitAsync(Patience));
        }
    }

    [Fact]
    public async Task Nothing_that_crosses_is_in_clear()
    {
        await using RunningHost plain = await RunningHost.StartAsync("tcp"), secret = await RunningHost.StartAsync("tls");
        foreach (AcceleratorAddress address in new[] { plain.Address, secret.Address })
        {
            using var seen = new MemoryStream();
            await using var between = new RawPeer(async (stream, end) =>
            {
                using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(IPAddress.Loopback, address.Port, end);
                await using var on = new NetworkStream(socket);
                await Task.WhenAny(RelayAsync(stream, on, seen, end), RelayAsync(on, stream, seen, end));
            });
            await AnswersAsync(address.Pin is { } pin ? between.Address(pin) : AcceleratorAddress.Parse($"tcp:127.0.0.1:{between.Port}"));
            byte[] all;
            lock (seen) all = seen.ToArray();
            bool inClear = address.Pin is null;
            Assert.Equal(inClear, all.AsSpan().IndexOf("cloi-acc"u8) >= 0);
            Assert.Equal(inClear, all.AsSpan().IndexOf(TinyModels.Twice()) >= 0);
            Assert.Equal(inClear, all.AsSpan().IndexOf(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>([2, 4, 6, 8])) >= 0);
        }
    }

    [Fact]
    public async Task A_key_that_has_encrypted_enough_is_exchanged_and_nobody_notices()
    {
        var log = new FaultWatch();
        await using RunningHost host = await RunningHost.StartAsync("tls", logger: log);
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [host.Address], new AcceleratorPoolOptions { StallTimeout = Patience, MaximumTlsRecords = 40, MaximumBatch = 1 }, NullLogger.Instance);
        await Parallel.ForEachAsync(Enumerable.Range(0, 100), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (number, cancellation) =>
        {
            using OrtTensor input = TinyModels.Tensor(number, 2, 3, 4);
            OrtTensor[] outputs = await pool.RunAsync([input], Patience, cancellation);
            Assert.Equal([2f * number, 4, 6, 8], outputs[0].Span<float>().ToArray());
            outputs[0].Dispose();
        });
        Assert.Empty(pool.Statistics.Faults);
        Assert.Equal((0, 100), (pool.Statistics.Retries, pool.Statistics.Answered));
        Assert.True(log.Lines.Count(line => line.Contains("a workload is here", StringComparison.Ordinal)) > 2);
    }

    [Fact]
    public void An_address_without_a_key_is_for_listening_alone()
    {
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        var refused = Assert.Throws<PartitioningException>(() => { AcceleratorPool.Start(back, [AcceleratorAddress.Parse("tls:host:1")], new AcceleratorPoolOptions(), NullLogger.Instance); });
        Assert.Equal(PartitioningError.PinMissing, refused.Error);
        Assert.Contains("#sha256:", refused.Message, StringComparison.Ordinal);
        Assert.Equal(PartitioningError.PinMissing, Assert.Throws<PartitioningException>(() => { AcceleratorAddress.ParseMany(["unix:/a", "tls:host:1"]); }).Error);
        Assert.Equal(PartitioningError.AcceleratorNamedTwice, Assert.Throws<PartitioningException>(() => { AcceleratorAddress.ParseMany(["tcp:host:1", "tls:host:1#sha256:" + new string('0', 64)]); }).Error);
        Assert.Equal(2, AcceleratorAddress.ParseMany(["tcp:host:1", "tls:host:2#sha256:" + new string('A', 64)]).Count);
    }

    [Fact]
    public async Task A_certificate_is_for_TLS_and_comes_with_its_key()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = Certificate("CN=a", key, DateTimeOffset.UtcNow), without = X509CertificateLoader.LoadCertificate(certificate.RawData);
        var listen = AcceleratorAddress.Parse("tls:127.0.0.1:0");
        Assert.Equal(PartitioningError.CertificateRefused, (await Assert.ThrowsAsync<PartitioningException>(() => RunAsync(listen, without))).Error);
        await Assert.ThrowsAsync<ArgumentException>(() => RunAsync(AcceleratorAddress.Parse("tcp:127.0.0.1:0"), certificate));
        await Assert.ThrowsAsync<ArgumentException>(() => RunAsync(listen.WithPin(new string('0', 64)), certificate));

        static Task RunAsync(AcceleratorAddress address, X509Certificate2 certificate) =>
            AcceleratorHost.RunAsync(address, new AcceleratorOptions { Certificate = certificate }, NullLogger.Instance, None).WaitAsync(Patience);
    }

#pragma warning disable CA5397, CA5398 // The old version is what is refused.
    private static SslProtocols Old => SslProtocols.Tls12;
#pragma warning restore CA5397, CA5398

    private static X509Certificate2 Certificate(string name, ECDsa key, DateTimeOffset from) => new CertificateRequest(name, key, HashAlgorithmName.SHA256).CreateSelfSigned(from, from.AddDays(1));

    private static async Task AnswersAsync(AcceleratorAddress address)
    {
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [address], new AcceleratorPoolOptions { StallTimeout = Patience }, NullLogger.Instance);
        using OrtTensor input = TinyModels.Tensor(1, 2, 3, 4);
        OrtTensor[] outputs = await pool.RunAsync([input], Patience, None);
        Assert.Equal([2f, 4, 6, 8], outputs[0].Span<float>().ToArray());
        outputs[0].Dispose();
        Assert.Empty(pool.Statistics.Faults);
    }

    // What is said of the first fault of an accelerator, which sees no tensor.
    private static async Task<string> FaultAsync(AcceleratorAddress address, AcceleratorFault? wanted = null)
    {
        var watch = new FaultWatch();
        using BackNet back = TinyModels.Open(TinyModels.Twice());
        await using AcceleratorPool pool = AcceleratorPool.Start(back, [address], new AcceleratorPoolOptions { StallTimeout = Patience }, watch);
        string told = await watch.FirstAsync(FaultWatch.Failed);
        if (wanted is { } fault) Assert.Contains(fault.ToString(), told, StringComparison.Ordinal);
        Assert.Equal(0, pool.Statistics.Batches);
        return told;
    }

    private static async Task<string> LateAsync(ManualTime time, Task<string> told)
    {
        while (!told.IsCompleted)
        {
            time.Advance(TimeSpan.FromMinutes(61));
            await Task.WhenAny(told, Task.Delay(5));
        }
        return await told;
    }

    private static async Task RelayAsync(NetworkStream from, NetworkStream to, MemoryStream seen, CancellationToken end)
    {
        byte[] buffer = new byte[1 << 16];
        while (await from.ReadAsync(buffer, end) is > 0 and int read)
        {
            lock (seen) seen.Write(buffer, 0, read);
            await to.WriteAsync(buffer.AsMemory(0, read), end);
        }
    }
}
