using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cloister.Attestation;
using Cloister.Coordinator;
using Cloister.Platform.Simulation;
using Cloister.Protocol.Marble;
using Cloister.Protocol.Trust;
using Google.Protobuf;

namespace Cloister.Bench;

/// <summary>
/// What the coordinator itself does for an activation in Cloister's mode, once the request has been read from its connection: evidence, request,
/// certificate, parameters, count. In a process of its own, which prints its CPU time for one and the P-384 operations that one takes.
/// </summary>
internal static class BareActivation
{
    private const int Activations = 240, Rounds = 7;

    /// <summary>Starts the process: CPU time of one activation and of its bare P-384 operations, microseconds.</summary>
    public static async Task<(double Cpu, double Bare)> MeasureAsync(bool p384, bool limited, int clients, CancellationToken cancellation)
    {
        using Process child = Process.Start(MeasuredCoordinator.Child("activate", p384 ? "p384" : "p256", limited ? "limited" : "free", clients.ToString(CultureInfo.InvariantCulture)))!;
        string output = await child.StandardOutput.ReadToEndAsync(cancellation);
        await child.WaitForExitAsync(cancellation);
        if (child.ExitCode != 0)
            throw new InvalidOperationException($"The measured process ended with {child.ExitCode}.");
        double[] numbers = [.. output.Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture))];
        return (numbers[0], numbers[1]);
    }

    /// <summary>The child process.</summary>
    public static async Task<int> RunAsync(string curve, string limit, int clients)
    {
        string folder = Directory.CreateTempSubdirectory("cloister-bench-").FullName;
        using ECDsa hostKey = ECDsa.Create(ECCurve.NamedCurves.nistP256), key = ECDsa.Create(curve == "p384" ? ECCurve.NamedCurves.nistP384 : ECCurve.NamedCurves.nistP256);
        await using (CoordinatorHost host = await MeasuredCoordinator.CreateAsync(folder, hostKey))
        {
            string package = ActivationLoad.Package(hostKey);
            string marble = limit == "limited" ? ""","MaxActivations": 1000000""" : "";
            if (!await MeasuredCoordinator.SetManifestAsync(host.ClientAddress.Port, "/api/v3/manifest", $$"""{{package}}, "Marbles": { "m": { "Package": "p"{{marble}} } } }""", default))
                return 1;
            using X509Certificate2 connection = new CertificateRequest("CN=workload", key, HashAlgorithmName.SHA384).CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
            var ratios = new List<(double Cpu, double Bare)>();
            for (int round = 0; round <= Rounds; round++)
            {
                ActivationReq[] requests = [.. await Task.WhenAll(Enumerable.Range(0, Activations).Select(_ => PrepareAsync(host, hostKey, key)))];
                CurveOperations p384 = CurveOperations.Measure(ECCurve.NamedCurves.nistP384, HashAlgorithmName.SHA384);
                double bare = curve == "p384" ? p384.Sign + p384.Verify : p384.Sign;
                TimeSpan start = Environment.CpuUsage.TotalTime;
                await Task.WhenAll(requests.Chunk(Activations / clients).Select(chunk => Task.Run(async () =>
                {
                    foreach (ActivationReq request in chunk)
                        await host.Own.ActivateAsync(request, connection, default);
                })));
                if (round > 0)
                    ratios.Add(((Environment.CpuUsage.TotalTime - start).TotalMicroseconds / Activations, bare));
            }
            (double cpu, double operations) = ratios.OrderBy(ratio => ratio.Cpu / ratio.Bare).ElementAt(Rounds / 2);
            Console.Write(string.Create(CultureInfo.InvariantCulture, $"{cpu} {operations}"));
        }
        Directory.Delete(folder, recursive: true);
        return 0;
    }

    private static async Task<ActivationReq> PrepareAsync(CoordinatorHost host, ECDsa hostKey, ECDsa key)
    {
        byte[] challenge = host.Challenges.Issue();
        string uuid = Guid.NewGuid().ToString("D");
        byte[] statement = new WorkloadStatement("m", uuid, host.State.Current.Manifest!.Fingerprint).ToBytes();
        var issuer = new TestOnlyIssuer(hostKey, Convert.FromHexString(ActivationLoad.Measurement));
        EvidenceSet evidence = await issuer.IssueAsync(new Binding(AttesterRole.Workload, challenge, key.ExportSubjectPublicKeyInfo()), statement, default);
        return new ActivationReq
        {
            CSR = ByteString.CopyFrom(ActivationLoad.Request(key)),
            MarbleType = "m",
            UUID = uuid,
            Challenge = ByteString.CopyFrom(challenge),
            Evidence = ByteString.CopyFrom(EvidenceCodec.Encode(evidence)),
        };
    }
}
