using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Tests;

namespace Cloister.EndToEnd;

/// <summary>A marble that knows MarbleRun alone, on another language's gRPC stack, against the real coordinator process.</summary>
public sealed class MarbleRunMarbleTests
{
    private const string Manifest = """
        {
          "Packages": { "backend": { "UniqueID": "6b2822ac2585040d4b9397675d54977a71ef292ab5b3c0a6acceca26074ae585" } },
          "Marbles": { "backend": { "Package": "backend", "MaxActivations": 1, "Parameters": {
            "Files": { "/tmp/coordinator.jpg": "foo", "/tmp/root.pem": "{{ pem .MarbleRun.RootCA.Cert }}" },
            "Env": { "IS_FIRST": "true", "KEY": "{{ hex .Secrets.key }}" },
            "Argv": [ "--first", "serve" ] } } },
          "Secrets": { "key": { "Type": "symmetric-key", "Size": 128 } },
          "Clients": { "legacy": "ignored" }
        }
        """;

    [Fact]
    public async Task It_is_activated_once_with_files_environment_and_arguments()
    {
        using var folder = new TemporaryFolder();
        using Process coordinator = StartCoordinator(folder);
        try
        {
            JsonObject listening = await CloisterCommand.WaitForAsync(coordinator, "listening");
            await SetManifestAsync((string)listening["clientAddress"]!);
            Identity(folder);
            JsonNode first = await ActivateAsync(folder, (string)listening["meshAddress"]!, "backend");
            Assert.Equal(0, (int)first["code"]!);
            Assert.Equal("foo", (string)first["files"]!["/tmp/coordinator.jpg"]!);
            Assert.StartsWith("-----BEGIN CERTIFICATE-----", (string)first["files"]!["/tmp/root.pem"]!, StringComparison.Ordinal);
            Assert.Equal(32, ((string)first["env"]!["KEY"]!).Length);
            Assert.Equal(["--first", "serve"], first["argv"]!.AsArray().Select(argument => (string)argument!));
            CheckCertificate(first["env"]!);

            JsonNode second = await ActivateAsync(folder, (string)listening["meshAddress"]!, "backend");
            Assert.Equal(7, (int)second["code"]!); // PERMISSION_DENIED: MaxActivations
            JsonNode unknown = await ActivateAsync(folder, (string)listening["meshAddress"]!, "frontend");
            Assert.Equal(7, (int)unknown["code"]!);
        }
        finally
        {
            coordinator.Kill();
            await coordinator.WaitForExitAsync();
        }
    }

    private static void CheckCertificate(JsonNode environment)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem((string)environment["MARBLE_PREDEFINED_MARBLE_CERTIFICATE_CHAIN"]!);
        using X509Certificate2 marbleRoot = X509Certificate2.CreateFromPem((string)environment["MARBLE_PREDEFINED_ROOT_CA"]!);
        using X509Certificate2 coordinatorRoot = X509Certificate2.CreateFromPem((string)environment["MARBLE_PREDEFINED_COORDINATOR_ROOT_CA"]!);
        Assert.Equal(2, chain.Count);
        using X509Certificate2 marble = X509Certificate2.CreateFromPem(chain[0].ExportCertificatePem(), (string)environment["MARBLE_PREDEFINED_PRIVATE_KEY"]!);
        Assert.Equal("backend", Encoding.UTF8.GetString(marble.Extensions["1.3.9903.2.1"]!.RawData));
        using var built = new X509Chain();
        built.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        built.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        built.ChainPolicy.CustomTrustStore.Add(marbleRoot);
        Assert.True(built.Build(marble));
        Assert.Equal(coordinatorRoot.Subject, chain[1].Issuer);
    }

    private static Process StartCoordinator(TemporaryFolder folder)
    {
        var start = new ProcessStartInfo(CloisterCommand.Executable) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in new[] { "coordinator", "run", "--client-address", "127.0.0.1:0", "--mesh-address", "127.0.0.1:0", "--seal-folder", folder["state"], "--host-key-folder", folder["host"], "--json" })
            start.ArgumentList.Add(argument);
        start.Environment["OE_SIMULATION"] = "1";
        return Process.Start(start)!;
    }

    private static async Task SetManifestAsync(string address)
    {
        // As MarbleRun's CLI under --insecure: the coordinator has no quote to check.
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, presented, _, _) => presented is not null };
        using var http = new HttpClient(handler);
        var body = new JsonObject { ["manifest"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(Manifest)) };
        using HttpResponseMessage answer = await http.PostAsync(new Uri($"https://{address}/api/v2/manifest"), new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"));
        Assert.True(answer.StatusCode == HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
    }

    private static void Identity(TemporaryFolder folder)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var request = new CertificateRequest("CN=MarbleRun Marble", key, HashAlgorithmName.SHA384);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 certificate = request.CreateSelfSigned(now.AddMinutes(-5), now.AddDays(1));
        File.WriteAllText(folder["marble.key"], key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(folder["marble.pem"], certificate.ExportCertificatePem());
        File.WriteAllBytes(folder["marble.csr"], request.CreateSigningRequest());
    }

    private static async Task<JsonNode> ActivateAsync(TemporaryFolder folder, string address, string type)
    {
        var start = new ProcessStartInfo("node") { RedirectStandardOutput = true };
        foreach (string argument in new[] { Path.Combine(TestData.RepositoryRoot, "tests", "EndToEnd", "node", "marble.mjs"), address, type, Guid.NewGuid().ToString(), folder["marble.key"], folder["marble.pem"], folder["marble.csr"] })
            start.ArgumentList.Add(argument);
        using Process marble = Process.Start(start)!;
        string output = await marble.StandardOutput.ReadToEndAsync();
        await marble.WaitForExitAsync();
        return JsonNode.Parse(output)!;
    }
}
