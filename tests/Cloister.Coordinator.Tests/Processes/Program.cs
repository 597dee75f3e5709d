using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Attestation;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Platform.Simulation;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Trust;
using Google.Protobuf;

namespace Cloister.Coordinator.Tests.Processes;

/// <summary>What the tests' own executable does when a test starts it as a process.</summary>
internal static class Program
{
    public static Task Main(string[] arguments) => arguments switch
    {
        ["coordinator"] => CoordinateAsync(),
        ["workload", { } port, { } type] => ActivateAsync(int.Parse(port, CultureInfo.InvariantCulture), type),
        _ => Task.CompletedTask,
    };

    // Runs until its standard input ends, which is when the test ends.
    private static async Task CoordinateAsync()
    {
        await using CoordinatorHost host = await CoordinatorHost.CreateAsync(CoordinatorOptions.FromEnvironment());
        Console.WriteLine($"{host.ClientAddress.Port} {host.MeshAddress.Port}");
        await Console.In.ReadToEndAsync();
    }

    private static async Task ActivateAsync(int port, string type)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using HttpClient http = TestCoordinator.Connect(port, TestWorkload.SelfSigned(key), null);
        var channel = new GrpcChannel(http, http.BaseAddress!);
        try
        {
            ChallengeResp challenge = await channel.UnaryAsync(MarbleService.ChallengePath, new ChallengeReq { Nonce = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(32)) }, ChallengeResp.Parser);
            var issuer = new SimulatorIssuer(Environment.GetEnvironmentVariable("CLOISTER_SIMULATOR")!);
            string uuid = Guid.NewGuid().ToString("D");
            byte[] statement = new WorkloadStatement(type, uuid, Convert.ToHexStringLower(challenge.ManifestFingerprint.Span)).ToBytes();
            EvidenceSet evidence = await issuer.IssueAsync(new Binding(AttesterRole.Workload, challenge.Challenge.Memory, key.ExportSubjectPublicKeyInfo()), statement, default);
            ActivationResp answer = await channel.UnaryAsync(MarbleService.ActivatePath, new ActivationReq
            {
                CSR = ByteString.CopyFrom(TestWorkload.Request(key)),
                MarbleType = type,
                UUID = uuid,
                Challenge = challenge.Challenge,
                Evidence = ByteString.CopyFrom(EvidenceCodec.Encode(evidence)),
            }, ActivationResp.Parser);
            using X509Certificate2 leaf = X509CertificateLoader.LoadCertificate(answer.CertificateChain[0].Span);
            Console.WriteLine("activated " + MarbleExtension.Read(leaf));
        }
        catch (GrpcException refused)
        {
            Console.WriteLine($"refused {refused.Status} {refused.Detail}");
        }
    }
}
