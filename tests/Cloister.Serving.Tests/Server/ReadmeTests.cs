using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Cloister.Sealing;
using Cloister.Serving.Repository;
using Cloister.Tests;
using Cloister.Workload;

namespace Cloister.Serving.Tests.Server;

/// <summary>The README's examples, as they stand there.</summary>
public sealed partial class ReadmeTests
{
    [Fact]
    public async Task A_server_on_its_own()
    {
        string store = Directory.CreateTempSubdirectory("cloister-serving-").FullName, model = Path.Combine(store, "half_plus_two.onnx");
        await File.WriteAllBytesAsync(model, TestModels.HalfPlusTwo);
        using X509Certificate2 certificate = TestCertificates.Create("localhost");

        using MakerKey maker = MakerKey.Generate(SignatureAlgorithm.EcdsaP256);
        using SecretBytes key = SecretBytes.Random(SealedFile.KeySize);
        string digest = await SealedFile.SealAsync(Path.Combine(store, "half.sealed"),
            new SealedContent("half", Version: 1, [SealedSource.FromFile("model.onnx", model)]), key.Memory, maker);

        var grants = new ServingGrants(
            [new ModelGrant("half", digest, maker.Public.SubjectPublicKeyInfo, MinimumVersion: 1, SecretBytes.Copy(key.Span))],
            [new CallerGrant("alice", Certificate: default, TokenSha256: SHA256.HashData("alice's token"u8), Models: ["half"])],
            AnonymousModels: []);
        var options = new InferenceOptions { StoreFolder = store, Endpoint = new IPEndPoint(IPAddress.Loopback, 0) };
        await using InferenceHost host = await InferenceHost.StartAsync(options, grants, new CertificateIdentity(certificate));
        await host.ModelsLoaded;

        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, presented, _, _) => presented is not null && presented.GetRawCertData().SequenceEqual(certificate.RawData);
        using var client = new HttpClient(handler) { BaseAddress = host.Address };
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", "Bearer alice's token");
        using HttpResponseMessage answer = await client.PostAsync("/v1/models/half:predict", new StringContent("""{"instances": [1.0, 2.0, 5.0]}"""));
        Assert.Equal("{\n    \"predictions\": [2.5, 3.0, 4.5\n    ]\n}", await answer.Content.ReadAsStringAsync());
        Directory.Delete(store, recursive: true);
    }

    [Fact]
    public void The_configuration_it_shows_is_valid()
    {
        string readme = File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "src/Cloister.Serving/README.md"));
        Match configuration = Configuration().Match(readme);
        Assert.True(configuration.Success);
        ModelConfiguration read = ModelConfiguration.Read(System.Text.Encoding.UTF8.GetBytes(configuration.Value));
        Assert.Equal(("bgr-mean", 64), (read.Preprocess!.Name, read.QueueLimit));
    }

    [GeneratedRegex("""\{"preprocess":(?:[^{}]|\{[^{}]*\})*\}""")]
    private static partial Regex Configuration();
}
