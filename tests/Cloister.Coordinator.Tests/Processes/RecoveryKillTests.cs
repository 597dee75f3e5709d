using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cloister.Coordinator.Stores;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Coordinator.Tests.Recovery;

namespace Cloister.Coordinator.Tests.Processes;

/// <summary>kill -9 of a coordinator at random moments of its recovery: the state is there afterwards, recovered or still to be recovered.</summary>
public sealed class RecoveryKillTests : IDisposable
{
    private const int Kills = 12;

    private readonly string _root = Directory.CreateTempSubdirectory("cloister-recovery-kill-").FullName;

    private string SealFolderPath => Path.Combine(_root, "seal");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Kills_during_recovery_lose_nothing()
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var holders = new Holders(3);
        using ECDsa hostKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string manifest = holders.AddTo(new TestManifest(hostKey).Json(), threshold: 2).ToJsonString();
        CoordinatorProcess process = await CoordinatorProcess.StartAsync(_root, simulation: false);
        int port = process.ClientPort;
        (int code, JsonElement answer) = await PostAsync(port, "/api/v3/manifest", TestManifest.Request(manifest));
        Assert.True(code == 200, answer.ToString());
        byte[][] secrets = holders.Open(answer.GetProperty("data").GetProperty("recoverySecrets"));
        await process.KillAsync();
        LoseKey();

        var random = new Random(20261121);
        int recovered = 0;
        for (int kill = 0; kill < Kills; kill++)
        {
            process = await CoordinatorProcess.StartAsync(_root, simulation: false);
            port = process.ClientPort;
            int status = await StatusAsync(port);
            if (status == 3)
            {
                // The recovery before had come to its end.
                recovered++;
                await AssertManifestAsync(port, manifest);
                await process.KillAsync();
                LoseKey();
                continue;
            }
            Assert.Equal(1, status);
            Task uploading = UploadAsync(holders, secrets, port);
            await Task.Delay(random.Next(0, 400), CancellationToken.None);
            await process.KillAsync();
            await uploading;
        }
        process = await CoordinatorProcess.StartAsync(_root, simulation: false);
        port = process.ClientPort;
        if (await StatusAsync(port) == 1)
            await UploadAsync(holders, secrets, port);
        Assert.Equal(3, await StatusAsync(port));
        await AssertManifestAsync(port, manifest);
        await process.KillAsync();
        Assert.True(recovered < Kills);
    }

    private void LoseKey() => File.Delete(Path.Combine(SealFolderPath, SealFolder.KeyName));

    private static async Task UploadAsync(Holders holders, byte[][] secrets, int port)
    {
        try
        {
            foreach (int holder in new[] { 2, 0 })
                await PostAsync(port, "/api/v3/recover", Holders.Body(secrets[holder], holders.Sign(holder, secrets[holder])));
        }
        catch (Exception error) when (error is HttpRequestException or SocketException or IOException)
        {
            return; // killed meanwhile
        }
    }

    private static async Task AssertManifestAsync(int port, string manifest)
    {
        (_, JsonElement answer) = await GetAsync(port, "/api/v3/manifest");
        Assert.Equal(TestManifest.Fingerprint(manifest), answer.GetProperty("data").GetProperty("fingerprint").GetString());
    }

    private static async Task<int> StatusAsync(int port) => (await GetAsync(port, "/api/v3/status")).Json.GetProperty("data").GetProperty("code").GetInt32();

    private static async Task<(int Code, JsonElement Json)> GetAsync(int port, string path)
    {
        using HttpClient client = TestCoordinator.Connect(port, null, null);
        return await TestCoordinator.ReadAsync(await client.GetAsync(path));
    }

    private static async Task<(int Code, JsonElement Json)> PostAsync(int port, string path, string body)
    {
        using HttpClient client = TestCoordinator.Connect(port, null, null);
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await TestCoordinator.ReadAsync(await client.PostAsync(path, content));
    }
}
