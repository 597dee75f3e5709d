using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Coordinator.Tests.Update;

namespace Cloister.Coordinator.Tests.Processes;

/// <summary>kill -9 of a coordinator at random moments of updates: afterwards one of them is in force whole, and none that was answered is lost.</summary>
public sealed class UpdateKillTests : IDisposable
{
    private const int Kills = 8;

    private readonly string _root = Directory.CreateTempSubdirectory("cloister-update-kill-").FullName;
    private readonly X509Certificate2 _updater = TestManifest.Certificate("updater");

    // By fingerprint: the shared key that was read under that manifest.
    private readonly Dictionary<string, string> _keys = [];
    private int _next, _answered;
    private string _inForce = "", _asked = "";

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Kills_during_updates_leave_one_whole_manifest_and_lose_none_that_was_answered()
    {
        if (!OperatingSystem.IsLinux())
            return;
        CoordinatorProcess process = await CoordinatorProcess.StartAsync(_root, simulation: true);
        int port = process.ClientPort;
        string first = Manifest(0);
        Assert.Equal(200, (await PostAsync(port, "/api/v2/manifest", UpdateScene.Body(first))).Code);
        _inForce = _asked = TestManifest.Fingerprint(first);
        string root = await RootAsync(port);
        var random = new Random(20261121);
        for (int kill = 0; kill < Kills; kill++)
        {
            Task updating = UpdateAsync(port);
            await Task.Delay(random.Next(50, 500), CancellationToken.None);
            await process.KillAsync();
            await updating;

            process = await CoordinatorProcess.StartAsync(_root, simulation: true);
            port = process.ClientPort;
            string now = (await GetAsync(port, "/api/v2/manifest")).GetProperty("manifestFingerprint").GetString()!, key = await KeyAsync(port);
            Assert.Contains(now, new[] { _inForce, _asked });
            Assert.True(!_keys.TryGetValue(now, out string? known) || known == key, "the key under one manifest changed");
            Assert.Equal(root, await RootAsync(port));
            int applied = (await GetAsync(port, "/api/v2/update")).GetProperty("updateLog").EnumerateArray().Count(line => line.GetString()!.Contains("\"Complete Manifest updated\"", StringComparison.Ordinal));
            Assert.InRange(applied, _answered, _answered + kill + 1);
            _inForce = _asked = now;
        }
        await process.KillAsync();
    }

    // Until the coordinator is killed: whole manifests that rotate every key, and raised versions between them.
    private async Task UpdateAsync(int port)
    {
        try
        {
            while (true)
            {
                string next = Manifest(++_next);
                _asked = TestManifest.Fingerprint(next);
                Assert.Equal(200, (await PostAsync(port, "/api/v2/update", UpdateScene.Body(next))).Code);
                (_inForce, _answered) = (_asked, _answered + 1);
                _keys[_inForce] = await KeyAsync(port);
                Assert.Equal(200, (await PostAsync(port, "/api/v2/update", UpdateScene.Body(UpdateScene.Raise(9)))).Code);
            }
        }
        catch (Exception error) when (error is HttpRequestException or SocketException or IOException)
        {
            return; // killed meanwhile
        }
    }

    private string Manifest(int number)
    {
        string pem = JsonSerializer.Serialize(_updater.ExportCertificatePem());
        JsonObject manifest = JsonNode.Parse($$"""
            {
              "Packages": { "p": { "SignerID": "{{new string('5', 64)}}", "ProductID": 7, "SecurityVersion": 3 } },
              "Marbles": { "m": { "Package": "p" } },
              "Secrets": {
                "key": { "Type": "symmetric-key", "Size": 128, "Shared": true },
                "certificate": { "Type": "cert-ecdsa", "Size": 256, "Shared": true }
              },
              "Users": { "updater": { "Certificate": {{pem}}, "Roles": ["updater", "packages", "reader"] } },
              "Roles": {
                "updater": { "ResourceType": "Manifest", "Actions": ["UpdateManifest"] },
                "packages": { "ResourceType": "Packages", "ResourceNames": ["p"], "Actions": ["UpdateSecurityVersion"] },
                "reader": { "ResourceType": "Secrets", "ResourceNames": ["key"], "Actions": ["ReadSecret"] }
              },
              "Config": { "RotateRootSecret": true }
            }
            """)!.AsObject();
        manifest["Marbles"]!["m"]!["MaxActivations"] = number;
        return manifest.ToJsonString();
    }

    private async Task<string> KeyAsync(int port) =>
        (await GetAsync(port, "/api/v2/secrets?s=key")).GetProperty("secrets").GetProperty("key").GetProperty("Private").GetString()!;

    // Also that the intermediate is one of this root.
    private async Task<string> RootAsync(int port)
    {
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem((await GetAsync(port, "/api/v2/quote")).GetProperty("cert").GetString());
        using X509Chain built = new();
        built.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        built.ChainPolicy.CustomTrustStore.Add(chain[1]);
        built.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        Assert.True(built.Build(chain[0]));
        return chain[1].Thumbprint;
    }

    private async Task<JsonElement> GetAsync(int port, string path)
    {
        using HttpClient client = TestCoordinator.Connect(port, _updater, null);
        (int code, JsonElement json) = await TestCoordinator.ReadAsync(await client.GetAsync(path));
        Assert.True(code == 200, json.ToString());
        return json.GetProperty("data");
    }

    private async Task<(int Code, JsonElement Json)> PostAsync(int port, string path, string body)
    {
        using HttpClient client = TestCoordinator.Connect(port, _updater, null);
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await TestCoordinator.ReadAsync(await client.PostAsync(path, content));
    }
}
