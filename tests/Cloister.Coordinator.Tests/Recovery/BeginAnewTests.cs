using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Coordinator.Stores;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Protocol.Rest;

namespace Cloister.Coordinator.Tests.Recovery;

/// <summary>MarbleRun's simulation, in which a new manifest leads out of recovery; here the old state is put aside and can still be recovered.</summary>
public sealed class BeginAnewTests : IAsyncLifetime, IDisposable
{
    private readonly Holders _holders = new(1);
    private TestCoordinator _coordinator = null!;

    public async Task InitializeAsync() => _coordinator = await TestCoordinator.StartAsync(options => options with { Simulation = true });

    public async Task DisposeAsync() => await _coordinator.DisposeAsync();

    public void Dispose() => _holders.Dispose();

    [Theory, InlineData("v1"), InlineData("v2")]
    public async Task A_new_manifest_leads_out_of_recovery_and_the_old_state_is_kept(string version)
    {
        byte[][] secrets = await SetAsync(version, "");
        string oldFingerprint = _coordinator.Host.State.Current.Manifest!.Fingerprint;
        byte[] oldData = await File.ReadAllBytesAsync(DataPath);
        await LoseKeyAsync();
        string root = _coordinator.Host.State.Current.Authority.Root.Thumbprint;

        await SetAsync(version, " ");
        Assert.Equal(CoordinatorState.AcceptingMarbles, _coordinator.Host.State.Current.State);
        Assert.Equal(root, _coordinator.Host.State.Current.Authority.Root.Thumbprint);
        Assert.NotEqual(oldFingerprint, _coordinator.Host.State.Current.Manifest!.Fingerprint);
        string aside = Assert.Single(Directory.GetFiles(_coordinator.SealFolder, "sealed_data.2*"));
        Assert.Equal(oldData, await File.ReadAllBytesAsync(aside));
        await _coordinator.RestartAsync();
        Assert.Equal(root, _coordinator.Host.State.Current.Authority.Root.Thumbprint);
        Assert.Equal(CoordinatorState.AcceptingMarbles, _coordinator.Host.State.Current.State);

        // Whoever wants the old one back moves it into place.
        await _coordinator.Host.DisposeAsync();
        File.Copy(aside, DataPath, overwrite: true);
        await _coordinator.RestartAsync();
        Assert.Equal(CoordinatorState.Recovery, _coordinator.Host.State.Current.State);
        Assert.Equal(200, (await _holders.UploadAsync(_coordinator, 0, secrets[0], "/api/v2/recover")).Code);
        Assert.Equal(oldFingerprint, _coordinator.Host.State.Current.Manifest!.Fingerprint);
    }

    [Fact]
    public async Task On_marbleruns_path_all_holders_are_counted()
    {
        using var holders = new Holders(3);
        JsonObject manifest = JsonNode.Parse("{\"Packages\":{\"p\":{\"Debug\":true,\"UniqueID\":\"aa\"}},\"Marbles\":{\"m\":{\"Package\":\"p\"}}}")!.AsObject();
        (_, JsonElement answer) = await _coordinator.PostAsync("/manifest", holders.AddTo(manifest, threshold: 2).ToJsonString());
        byte[][] secrets = holders.Open(answer.GetProperty("data").GetProperty("RecoverySecrets"));
        await LoseKeyAsync();
        Assert.Equal(2, (await holders.UploadAsync(_coordinator, 0, secrets[0], "/api/v2/recover")).Json.GetProperty("data").GetProperty("remaining").GetInt32());
        Assert.Equal(1, (await holders.UploadAsync(_coordinator, 0, secrets[0])).Json.GetProperty("data").GetProperty("remaining").GetInt32());
        Assert.Equal(0, (await holders.UploadAsync(_coordinator, 1, secrets[1], "/api/v2/recover")).Json.GetProperty("data").GetProperty("remaining").GetInt32());
    }

    [Fact]
    public async Task What_was_put_aside_is_never_overwritten()
    {
        await SetAsync("v2", "");
        for (int i = 0; i < 3; i++)
        {
            await LoseKeyAsync(remove: i != 1);
            Assert.Equal(CoordinatorState.Recovery, _coordinator.Host.State.Current.State);
            await SetAsync("v2", "");
        }
        // The clock of the test stands still.
        Assert.Equal(3, Directory.GetFiles(_coordinator.SealFolder, "sealed_data.2*").Length);
        Assert.Single(Directory.GetFiles(_coordinator.SealFolder, "sealed_key.2*"));
    }

    [Fact]
    public async Task A_manifest_that_is_refused_puts_nothing_aside()
    {
        await SetAsync("v2", "");
        byte[] data = await File.ReadAllBytesAsync(DataPath);
        await LoseKeyAsync();
        (int code, _) = await _coordinator.PostAsync("/api/v2/manifest", JsonSerializer.Serialize(new { manifest = "{}"u8.ToArray() }));
        Assert.Equal(500, code);
        Assert.Equal(CoordinatorState.Recovery, _coordinator.Host.State.Current.State);
        Assert.Equal(data, await File.ReadAllBytesAsync(DataPath));
        Assert.Empty(Directory.GetFiles(_coordinator.SealFolder, "*.2*"));
    }

    [Fact]
    public async Task Of_many_manifests_at_once_one_is_set_and_the_state_is_put_aside_once()
    {
        await SetAsync("v2", "");
        await LoseKeyAsync();
        (int Code, JsonElement Json)[] answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => _coordinator.PostAsync("/manifest", Manifest(new string(' ', i)))));
        Assert.Single(answers, answer => answer.Code == 200);
        Assert.Single(Directory.GetFiles(_coordinator.SealFolder, "sealed_data.2*"));
        Assert.Equal(CoordinatorState.AcceptingMarbles, _coordinator.Host.State.Current.State);
    }

    private string DataPath => Path.Combine(_coordinator.SealFolder, SealFolder.DataName);

    private string Manifest(string tail)
    {
        JsonObject manifest = JsonNode.Parse("""{"Packages":{"p":{"Debug":true,"UniqueID":"aa"}},"Marbles":{"m":{"Package":"p"}}}""")!.AsObject();
        return _holders.AddTo(manifest).ToJsonString() + tail;
    }

    private async Task<byte[][]> SetAsync(string version, string tail)
    {
        string manifest = Manifest(tail);
        (int code, JsonElement answer) = version == "v1"
            ? await _coordinator.PostAsync("/manifest", manifest)
            : await _coordinator.PostAsync("/api/v2/manifest", JsonSerializer.Serialize(new { manifest = Encoding.UTF8.GetBytes(manifest) }));
        Assert.True(code == 200, answer.ToString());
        return _holders.Open(answer.GetProperty("data").GetProperty("RecoverySecrets"));
    }

    private async Task LoseKeyAsync(bool remove = true)
    {
        await _coordinator.Host.DisposeAsync();
        string path = Path.Combine(_coordinator.SealFolder, SealFolder.KeyName);
        if (remove)
            File.Delete(path);
        else
            await File.WriteAllBytesAsync(path, RandomNumberGenerator.GetBytes(100));
        await _coordinator.RestartAsync();
    }
}
