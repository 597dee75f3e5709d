using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cloister.Sealing;
using Cloister.Serving;
using Cloister.Workload;

namespace Cloister.Bench;

/// <summary>
/// The child process <c>serve MODEL KEY.pem CERT.pem [config.json]</c>: seals a model, serves it under a throw-away certificate, and
/// prints its ports: TLS, plaintext HTTP/1.1, plaintext HTTP/2.
/// </summary>
internal static class ServeChild
{
    public static async Task<int> RunAsync(string[] arguments)
    {
        string store = Directory.CreateTempSubdirectory("cloister-bench-").FullName;
        using MakerKey maker = MakerKey.Generate(SignatureAlgorithm.EcdsaP256);
        SecretBytes key = SecretBytes.Random(SealedFile.KeySize);
        List<SealedSource> entries = [SealedSource.FromFile("model.onnx", arguments[0])];
        if (arguments.Length > 3) entries.Add(SealedSource.FromBytes("config.json", Encoding.UTF8.GetBytes(arguments[3])));
        string digest = await SealedFile.SealAsync(Path.Combine(store, "model.sealed"), new SealedContent("model", 1, [.. entries]), key.Memory, maker);
        using X509Certificate2 pair = X509Certificate2.CreateFromPemFile(arguments[2], arguments[1]);
        using X509Certificate2 certificate = X509CertificateLoader.LoadPkcs12(pair.Export(X509ContentType.Pkcs12), null);
        var grants = new ServingGrants([new ModelGrant("model", digest, maker.Public.SubjectPublicKeyInfo, 1, key)], [], ["model"]);
        var anyPort = new IPEndPoint(IPAddress.Loopback, 0);
        var options = new InferenceOptions
        {
            StoreFolder = store,
            Endpoint = anyPort,
            FurtherEndpoints = [new ServingEndpoint(anyPort) { Plaintext = true }, new ServingEndpoint(anyPort) { Plaintext = true, Http2Only = true }],
        };
        await using InferenceHost host = await InferenceHost.StartAsync(options, grants, new CertificateIdentity(certificate));
        await host.ModelsLoaded;
        Directory.Delete(store, recursive: true);
        Console.WriteLine(string.Join(' ', host.Addresses.Select(address => new Uri(address).Port)));
        await Console.In.ReadLineAsync(); // until the parent closes the pipe
        return host.Models.All(served => served.Reason is null) ? 0 : 1;
    }

    /// <summary>A throw-away key and certificate, as files.</summary>
    public static async Task<(string Key, string Certificate)> CertificateAsync(string folder, CancellationToken cancellation)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddMinutes(-5), now.AddDays(1));
        (string keyPath, string certificatePath) = (Path.Combine(folder, "key.pem"), Path.Combine(folder, "cert.pem"));
        await File.WriteAllTextAsync(keyPath, key.ExportPkcs8PrivateKeyPem(), cancellation);
        await File.WriteAllTextAsync(certificatePath, certificate.ExportCertificatePem(), cancellation);
        return (keyPath, certificatePath);
    }
}
