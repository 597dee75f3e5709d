using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Cloister.Attestation;
using Cloister.Platform;
using Cloister.Protocol.Rest;
using Cloister.Protocol.Trust;
using Cloister.Tests.Mesh;

namespace Cloister.Workload.Tests;

public sealed class EvidenceEndpointTests
{
    [Fact]
    public async Task EvidenceIsBoundToTheNonceAndTheConnectionsKey()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        using Activation activation = await mesh.Activator(TestMesh.OtherType).ActivateAsync();
        await using TestWorkload workload = await TestWorkload.StartAsync(activation.Identity);
        byte[] nonce = RandomNumberGenerator.GetBytes(32);
        await using var connection = await Connection.OpenAsync(workload.Address);
        WorkloadEvidenceV3 answer = await connection.AskAsync(nonce);

        EvidenceSet evidence = EvidenceCodec.Decode(answer.Evidence).Value;
        Assert.Equal(nonce, evidence.Stated.Nonce.ToArray());
        Assert.Equal(AttesterRole.Workload, evidence.Stated.Role);
        Assert.Equal(connection.Key, evidence.Stated.SubjectPublicKeyInfo.ToArray());
        WorkloadStatement statement = WorkloadStatement.Read(evidence.Primary.RuntimeData.Span);
        Assert.Equal((TestMesh.OtherType, activation.Uuid.ToString("D"), activation.ManifestFingerprint), (statement.Type, statement.Uuid, statement.ManifestFingerprint));
        Assert.Equal(activation.Identity.Current.ChainPem, answer.CertificateChain);
        Assert.True(answer.Simulated);
    }

    [Fact]
    public async Task ARenewedCertificateServesNewConnectionsAndOldOnesKeepTheirs()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        WorkloadActivator activator = mesh.Activator(TestMesh.OtherType);
        using Activation activation = await activator.ActivateAsync();
        await using TestWorkload workload = await TestWorkload.StartAsync(activation.Identity);
        await using var older = await Connection.OpenAsync(workload.Address);
        byte[] nonce = RandomNumberGenerator.GetBytes(32);
        await older.AskAsync(nonce);

        await activator.RenewAsync(activation, CancellationToken.None);
        await using var newer = await Connection.OpenAsync(workload.Address);
        Assert.NotEqual(older.Key, newer.Key);
        Assert.Equal(activation.Identity.Current.SubjectPublicKeyInfo.ToArray(), newer.Key);
        foreach (Connection connection in new[] { older, newer })
            Assert.Equal(connection.Key, EvidenceCodec.Decode((await connection.AskAsync(nonce)).Evidence).Value.Stated.SubjectPublicKeyInfo.ToArray());
    }

    [Theory]
    [InlineData("")]
    [InlineData("?nonce=")]
    [InlineData("?nonce=AAAAAAAAAAAAAAAAAAAA")] // 15 bytes
    [InlineData("?nonce=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")] // more than 64
    [InlineData("?nonce=AAAAAAAAAAAAAAAAAAAAA+AA")]
    [InlineData("?nonce=AAAAAAAAAAAAAAAAAAAAAA&nonce=AAAAAAAAAAAAAAAAAAAAAA")]
    public async Task ANonceThatIsNoneIsRefused(string query)
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        var issuer = new CountingIssuer(mesh.WorkloadIssuer);
        using Activation activation = await mesh.Activator(TestMesh.OtherType, issuer: issuer).ActivateAsync();
        await using TestWorkload workload = await TestWorkload.StartAsync(activation.Identity);
        await using var connection = await Connection.OpenAsync(workload.Address);
        Assert.Equal(400, (await connection.GetAsync(RestPaths.WorkloadEvidence + query)).Status);
        Assert.Equal(1, issuer.Issued);
    }

    [Fact]
    public async Task AMachineThatGivesNoEvidenceIsSaidSoWithoutItsReason()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        var issuer = new CountingIssuer(mesh.WorkloadIssuer);
        using Activation activation = await mesh.Activator(TestMesh.OtherType, issuer: issuer).ActivateAsync();
        issuer.Before = () => throw new PlatformException(PlatformError.SimulatorAbsent, "inner workings");
        await using TestWorkload workload = await TestWorkload.StartAsync(activation.Identity);
        await using var connection = await Connection.OpenAsync(workload.Address);
        var (status, body) = await connection.GetAsync($"{RestPaths.WorkloadEvidence}?nonce={NonceText.Encode(new byte[32])}");
        Assert.Equal(503, status);
        Assert.DoesNotContain("inner workings", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TooManyAtOnceAreTurnedAwayAndTheOthersAnswered()
    {
        await using TestMesh mesh = await TestMesh.StartAsync();
        var issuer = new CountingIssuer(mesh.WorkloadIssuer);
        using Activation activation = await mesh.Activator(TestMesh.OtherType, issuer: issuer).ActivateAsync();
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        issuer.Before = () => gate.Task;
        await using TestWorkload workload = await TestWorkload.StartAsync(activation.Identity);
        const int Extra = 6, Places = EvidenceEndpoint.Concurrency + EvidenceEndpoint.Waiting;
        Connection[] connections = await Task.WhenAll(Enumerable.Range(0, Places + Extra).Select(_ => Connection.OpenAsync(workload.Address)));
        List<Task<(int Status, string Body)>> asked = [.. connections.Select(c => c.GetAsync($"{RestPaths.WorkloadEvidence}?nonce={NonceText.Encode(new byte[32])}"))];
        var turnedAway = new List<int>();
        for (int i = 0; i < Extra; i++)
        {
            Task<(int Status, string Body)> first = await Task.WhenAny(asked);
            asked.Remove(first);
            turnedAway.Add((await first).Status);
        }
        Assert.All(turnedAway, status => Assert.Equal(503, status));
        Assert.InRange(issuer.Issued, 1, 1 + EvidenceEndpoint.Concurrency);
        gate.SetResult();
        Assert.All(await Task.WhenAll(asked), answer => Assert.Equal(200, answer.Status));
        foreach (Connection connection in connections)
            await connection.DisposeAsync();
    }

    /// <summary>One TLS connection that speaks HTTP/1.1 by hand.</summary>
    private sealed class Connection : IAsyncDisposable
    {
        private readonly SslStream _stream;

        private Connection(SslStream stream) => _stream = stream;

        public byte[] Key => ((System.Security.Cryptography.X509Certificates.X509Certificate2)_stream.RemoteCertificate!).PublicKey.ExportSubjectPublicKeyInfo();

        public static async Task<Connection> OpenAsync(Uri address)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(IPAddress.Loopback, address.Port);
            var stream = new SslStream(new NetworkStream(socket, ownsSocket: true), false, (_, certificate, _, _) => certificate is not null);
            await stream.AuthenticateAsClientAsync("localhost");
            return new Connection(stream);
        }

        public async Task<WorkloadEvidenceV3> AskAsync(byte[] nonce)
        {
            var (status, body) = await GetAsync($"{RestPaths.WorkloadEvidence}?nonce={NonceText.Encode(nonce)}");
            Assert.Equal(200, status);
            return RestJson.Read(Encoding.UTF8.GetBytes(body), RestJson.Strict.JSendWorkloadEvidenceV3).Data!;
        }

        public async Task<(int Status, string Body)> GetAsync(string path)
        {
            await _stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
            using var reader = new StreamReader(_stream, Encoding.UTF8, false, 1024, leaveOpen: true);
            string status = (await reader.ReadLineAsync())!;
            int length = 0;
            while (await reader.ReadLineAsync() is { Length: > 0 } line)
            {
                if (line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))
                    length = int.Parse(line.AsSpan(15), System.Globalization.CultureInfo.InvariantCulture);
            }
            char[] body = new char[length];
            await reader.ReadBlockAsync(body);
            return (int.Parse(status.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture), new string(body));
        }

        public ValueTask DisposeAsync() => _stream.DisposeAsync();
    }
}
