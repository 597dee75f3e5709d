using System.Diagnostics;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Attestation;
using Cloister.Platform.Simulation;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Trust;
using Google.Protobuf;

namespace Cloister.Bench;

/// <summary>Workloads that activate over and over, each time over a new TLS connection. Their keys and requests are made beforehand.</summary>
internal sealed class ActivationLoad : IDisposable
{
    public const string Measurement = "1111111111111111111111111111111111111111111111111111111111111111";
    private const int MaxClients = 8;

    private readonly MeasuredCoordinator _coordinator;
    private readonly Client[] _clients;

    public ActivationLoad(MeasuredCoordinator coordinator, ECCurve curve, TestOnlyIssuer? issuer)
    {
        _coordinator = coordinator;
        _clients = [.. Enumerable.Range(0, MaxClients).Select(_ => new Client(coordinator.MeshPort, curve, issuer))];
    }

    /// <summary>The beginning of a manifest whose package accepts workloads with evidence of this host.</summary>
    public static string Package(ECDsa hostKey) => $$"""
        { "Packages": { "p": { "Simulation": { "Digest": "{{Measurement}}", "HostKeys": ["{{Convert.ToBase64String(hostKey.ExportSubjectPublicKeyInfo())}}"] } } }
        """;

    /// <summary>A certificate request.</summary>
    public static byte[] Request(ECDsa key)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        var request = new CertificateRequest("CN=workload", key, key.KeySize == 384 ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSigningRequest();
    }

    /// <summary>Activates so often with so many clients at once: activations a second, and the coordinator's CPU time for one.</summary>
    public async Task<(double Rate, double Cpu)> MeasureAsync(int clients, int activations, CancellationToken cancellation)
    {
        TimeSpan cpu = _coordinator.Cpu;
        long start = Stopwatch.GetTimestamp();
        await Task.WhenAll(_clients.Take(clients).Select(client => Task.Run(() => client.ActivateAsync(activations / clients, cancellation), cancellation)));
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return (activations / clients * clients / seconds, (_coordinator.Cpu - cpu).TotalMicroseconds / (activations / clients * clients));
    }

    public void Dispose()
    {
        foreach (Client client in _clients)
            client.Dispose();
    }

    private sealed class Client : IDisposable
    {
        private readonly int _port;
        private readonly TestOnlyIssuer? _issuer;
        private readonly ECDsa _key;
        private readonly X509Certificate2 _certificate;
        private readonly SslStreamCertificateContext _shown;
        private readonly ByteString _request, _publicKey;

        /// <param name="port">The coordinator's mesh port.</param>
        /// <param name="curve">Of the client's key.</param>
        /// <param name="issuer">Signs evidence in Cloister's mode; null speaks MarbleRun's wire.</param>
        public Client(int port, ECCurve curve, TestOnlyIssuer? issuer)
        {
            (_port, _issuer, _key) = (port, issuer, ECDsa.Create(curve));
            HashAlgorithmName hash = _key.KeySize == 384 ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256;
            _certificate = new CertificateRequest("CN=workload", _key, hash).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
            _shown = SslStreamCertificateContext.Create(_certificate, null, offline: true);
            _request = ByteString.CopyFrom(Request(_key));
            _publicKey = ByteString.CopyFrom(_key.ExportSubjectPublicKeyInfo());
        }

        public async Task ActivateAsync(int times, CancellationToken cancellation)
        {
            for (int i = 0; i < times; i++)
            {
                using HttpClient http = MeasuredCoordinator.Connect(_port, _shown);
                var channel = new GrpcChannel(http, http.BaseAddress!);
                var request = new ActivationReq { CSR = _request, MarbleType = "m", UUID = Guid.NewGuid().ToString("D"), Quote = ByteString.CopyFromUtf8("any quote") };
                if (_issuer is not null)
                    await ProveAsync(channel, request, _issuer, cancellation);
                await channel.UnaryAsync(MarbleService.ActivatePath, request, ActivationResp.Parser, cancellation: cancellation);
            }
        }

        private async Task ProveAsync(GrpcChannel channel, ActivationReq request, TestOnlyIssuer issuer, CancellationToken cancellation)
        {
            var ask = new ChallengeReq { Nonce = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(32)) };
            ChallengeResp challenge = await channel.UnaryAsync(MarbleService.ChallengePath, ask, ChallengeResp.Parser, cancellation: cancellation);
            byte[] statement = new WorkloadStatement(request.MarbleType, request.UUID, Convert.ToHexStringLower(challenge.ManifestFingerprint.Span)).ToBytes();
            EvidenceSet evidence = await issuer.IssueAsync(new Binding(AttesterRole.Workload, challenge.Challenge.Memory, _publicKey.Memory), statement, cancellation);
            request.Quote = ByteString.Empty;
            request.Challenge = challenge.Challenge;
            request.Evidence = ByteString.CopyFrom(EvidenceCodec.Encode(evidence));
        }

        public void Dispose()
        {
            _certificate.Dispose();
            _key.Dispose();
        }
    }
}
