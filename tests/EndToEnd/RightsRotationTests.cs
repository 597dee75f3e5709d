using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Cloister.Client;
using Cloister.Onnx.Tests.Runtime;
using Cloister.Protocol.Rest;

namespace Cloister.EndToEnd;

/// <summary>A coordinator, a server and a client as processes of their own: a manifest changes who may call, and nothing is restarted.</summary>
public sealed class RightsRotationTests
{
    private const string Asks = """{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[4]}]}""";

    [Fact]
    public async Task A_running_server_admits_a_new_caller_and_refuses_the_old_one()
    {
        await using Deployment deployment = await Deployment.CreateAsync();
        await deployment.StartCoordinatorAsync();
        (string program, JsonObject manifest) = await PrepareAsync(deployment);
        using X509Certificate2 owner = Certificate();
        manifest["Users"] = new JsonObject { ["owner"] = new JsonObject { ["Certificate"] = owner.ExportCertificatePem(), ["Roles"] = new JsonArray("keys", "updates") } };
        manifest["Callers"] = new JsonObject { ["old"] = Caller("the old token"), ["both"] = Caller("a lasting token") };
        await UnverifiedCoordinator.SetManifestAsync(deployment.ClientAddress, Bytes(manifest), []);
        using (var client = new CoordinatorClient(await deployment.VerifyAsync(), owner))
            await client.SetSecretsAsync(new Dictionary<string, SecretValue> { ["half-key"] = new(Key: Convert.FromBase64String((await File.ReadAllTextAsync(deployment["owner/model.key"])).Trim())) });

        using Process server = Serve(deployment, program);
        try
        {
            Uri address = new((string)(await CloisterCommand.WaitForAsync(server, "serving"))["address"]!);
            using HttpClient http = Client(address);
            Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.Unauthorized), (await AskAsync(http, "the old token"), await AskAsync(http, "a lasting token"), await AskAsync(http, "the new token")));

            manifest["Callers"] = new JsonObject { ["both"] = Caller("a lasting token"), ["new"] = Caller("the new token") };
            using (var client = new CoordinatorClient(await deployment.VerifyAsync(), owner))
            {
                // Somebody new may call: the owner of the model's key is asked first, and until then nothing changes.
                Assert.Equal("half-key", Assert.Single((await client.UpdateAsync(Bytes(manifest), [])).WithheldSecrets));
                Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Unauthorized), (await AskAsync(http, "the old token"), await AskAsync(http, "the new token")));
            }
            using (var client = new CoordinatorClient(await deployment.VerifyAsync(), owner))
                await client.AcknowledgeSecretsAsync(["half-key"]);
            await UntilAsync(http, "the new token", HttpStatusCode.OK);
            Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.OK), (await AskAsync(http, "the old token"), await AskAsync(http, "a lasting token")));

            // To take away needs nobody's word.
            manifest["Callers"] = new JsonObject { ["new"] = Caller("the new token") };
            using (var client = new CoordinatorClient(await deployment.VerifyAsync(), owner))
                Assert.Empty((await client.UpdateAsync(Bytes(manifest), [])).WithheldSecrets);
            await UntilAsync(http, "a lasting token", HttpStatusCode.Unauthorized);
            Assert.Equal(HttpStatusCode.OK, await AskAsync(http, "the new token"));
            Assert.False(server.HasExited);

            // Under a manifest that makes it another workload it stops by itself, and says why.
            manifest["Marbles"]!["inference"]!["Parameters"] = new JsonObject { ["Env"] = new JsonObject { ["LEVEL"] = "debug" } };
            using (var client = new CoordinatorClient(await deployment.VerifyAsync(), owner))
                await client.UpdateAsync(Bytes(manifest), []);
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(5));
            string last = await server.StandardOutput.ReadToEndAsync(patience.Token);
            await server.WaitForExitAsync(patience.Token);
            Assert.Contains("Start it anew", last, StringComparison.Ordinal);
            Assert.Equal(3, server.ExitCode);
        }
        finally
        {
            if (!server.HasExited) server.Kill();
        }
    }

    private static async Task<(string Program, JsonObject Manifest)> PrepareAsync(Deployment deployment)
    {
        string program = deployment["program"], model = deployment["half.onnx"], keys = deployment["owner"], store = deployment["store"];
        foreach (string folder in Directory.EnumerateDirectories(CloisterCommand.Folder, "*", SearchOption.AllDirectories).Prepend(CloisterCommand.Folder))
            Directory.CreateDirectory(Path.Combine(program, Path.GetRelativePath(CloisterCommand.Folder, folder)));
        foreach (string source in Directory.EnumerateFiles(CloisterCommand.Folder, "*", SearchOption.AllDirectories))
            File.Copy(source, Path.Combine(program, Path.GetRelativePath(CloisterCommand.Folder, source)));
        await File.WriteAllTextAsync(Path.Combine(program, "coordinator-policy.json"), deployment.PolicyText);
        Directory.CreateDirectory(store);
        await File.WriteAllBytesAsync(model, new HandmadeModel().Input("x", 1, -1).Node("Identity", ["x"], ["y"]).Output("y", 1, -1).ToBytes());
        (await CloisterCommand.RunAsync("model", "keygen", "--out", keys)).Succeeded();
        Ended seal = await CloisterCommand.RunAsync("model", "seal", "--json", "--model", model, "--name", "half", "--key", Path.Combine(keys, "model.key"), "--maker", Path.Combine(keys, "maker.pem"), "--out", Path.Combine(store, "half.sealed"));
        seal.Succeeded();
        string pem = await File.ReadAllTextAsync(Path.Combine(keys, "maker.pub"));
        string makerKey = pem[PemEncoding.Find(pem).Base64Data].ReplaceLineEndings("");
        var manifest = (JsonObject)JsonNode.Parse($$"""
            {
              "Packages": { "serving": {{deployment.Package(await Deployment.MeasureAsync(program))}} },
              "Marbles": { "inference": { "Package": "serving", "MaxActivations": 1, "Models": ["half"] } },
              "Secrets": { "half-key": { "Type": "symmetric-key", "Size": 256, "UserDefined": true } },
              "Roles": {
                "keys": { "ResourceType": "Secrets", "ResourceNames": ["half-key"], "Actions": ["WriteSecret"] },
                "updates": { "ResourceType": "Manifest", "Actions": ["UpdateManifest"] }
              },
              "Models": { "half": { "Digest": "{{(string)seal.Lines[^1]["digest"]!}}", "MakerKey": "{{makerKey}}", "Secret": "half-key", "MinimumVersion": 1 } }
            }
            """)!;
        return (program, manifest);
    }

    private static Process Serve(Deployment deployment, string program)
    {
        var start = new ProcessStartInfo(Path.Combine(program, Path.GetFileName(CloisterCommand.Executable)),
            ["serve", "--type", "inference", "--coordinator", deployment.MeshAddress, "--uuid-file", deployment["uuid"], "--simulator", deployment.SimulatorSocket, "--store", deployment["store"], "--address", "127.0.0.1:0", "--json"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment["CLOISTER_MANIFEST_POLL"] = "1";
        return Process.Start(start)!;
    }

    private static HttpClient Client(Uri address)
    {
        var handler = new SocketsHttpHandler();
#pragma warning disable CA5359 // What is tried here is who may call; who serves is tried elsewhere.
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        return new HttpClient(handler) { BaseAddress = address };
    }

    private static async Task<HttpStatusCode> AskAsync(HttpClient http, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/models/half/infer") { Content = new StringContent(Asks) };
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        using HttpResponseMessage response = await http.SendAsync(request);
        return response.StatusCode;
    }

    private static async Task UntilAsync(HttpClient http, string token, HttpStatusCode status)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        while (await AskAsync(http, token) != status) await Task.Delay(100, patience.Token);
    }

    private static JsonObject Caller(string token) =>
        new() { ["TokenSha256"] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token))), ["Models"] = new JsonArray("half") };

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest("CN=owner", key, HashAlgorithmName.SHA256).CreateSelfSigned(TimeProvider.System.GetUtcNow().AddHours(-1), TimeProvider.System.GetUtcNow().AddDays(1));
    }

    private static byte[] Bytes(JsonObject manifest) => Encoding.UTF8.GetBytes(manifest.ToJsonString());
}
