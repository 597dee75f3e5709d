using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Coordinator.State;
using Cloister.Coordinator.Stores;
using Cloister.Coordinator.Tests.Update;
using Cloister.Protocol.Rest;

namespace Cloister.Coordinator.Tests.Recovery;

/// <summary>Updates that change who recovers the state, as MarbleRun's clients send them.</summary>
public sealed class RecoveryUpdateTests : IAsyncLifetime, IDisposable
{
    private readonly Holders _old = new(2), _new = new(3);
    private UpdateScene _scene = null!;

    public async Task InitializeAsync() => _scene = await UpdateScene.StartAsync(manifest => With(manifest, _old, 0));

    public async Task DisposeAsync() => await _scene.DisposeAsync();

    public void Dispose()
    {
        _old.Dispose();
        _new.Dispose();
    }

    [Fact]
    public async Task The_last_acknowledgement_hands_out_secrets_that_recover_the_updated_state()
    {
        string next = With(_scene.Manifest(), _new, 2).ToJsonString();
        (int code, JsonElement sent) = await _scene.UpdateAsync(next, _scene.Ann);
        Assert.Equal(200, code);
        Assert.False(sent.GetProperty("data").TryGetProperty("recoverySecrets", out _));
        (code, JsonElement applied) = await _scene.AcknowledgeAsync(next, _scene.Bob);
        Assert.True(code == 200, applied.ToString());
        byte[][] secrets = _new.Open(applied.GetProperty("data").GetProperty("recoverySecrets"));
        CoordinatorSnapshot updated = Current;
        await _scene.Coordinator.RestartAsync();
        Assert.Equal(updated.Version, Current.Version);

        await LoseKeyAsync();
        Assert.Equal(500, (await _old.UploadAsync(_scene.Coordinator, 0, new byte[32], RestPaths.RecoverV2)).Code);
        foreach (int holder in new[] { 2, 0 })
            Assert.Equal(200, (await _new.UploadAsync(_scene.Coordinator, holder, secrets[holder], RestPaths.RecoverV2)).Code);
        Assert.Equal(updated.Manifest!.Fingerprint, Current.Manifest!.Fingerprint);
        Assert.Equal(updated.Secrets["kept"], Current.Secrets["kept"]);
        Assert.Equal(updated.Authority.Intermediate.RawData, Current.Authority.Intermediate.RawData);
    }

    [Fact]
    public async Task An_update_of_anything_else_keeps_the_secrets()
    {
        byte[] before = Current.Recovery!.Encode();
        JsonObject manifest = With(_scene.Manifest(), _old, 0);
        manifest["Marbles"]!["m"]!["Parameters"]!["Argv"] = new JsonArray("new");
        string next = manifest.ToJsonString();
        await _scene.UpdateAsync(next, _scene.Ann);
        (int code, JsonElement applied) = await _scene.AcknowledgeAsync(next, _scene.Bob);
        Assert.Equal(200, code);
        Assert.False(applied.GetProperty("data").TryGetProperty("recoverySecrets", out _));
        Assert.Equal(before, Current.Recovery!.Encode());
    }

    [Fact]
    public async Task An_update_to_memory_alone_empties_the_disk_and_there_is_no_way_back()
    {
        JsonObject manifest = With(_scene.Manifest(), _old, 0);
        manifest["Config"]!["SealMode"] = "Disabled";
        string next = manifest.ToJsonString();
        await _scene.UpdateAsync(next, _scene.Ann);
        Assert.Equal(200, (await _scene.AcknowledgeAsync(next, _scene.Bob)).Code);
        Assert.Equal(["index"], StateFile.Decode(await File.ReadAllBytesAsync(Path.Combine(_scene.Coordinator.SealFolder, SealFolder.DataName))).Records.Keys);
        string back = With(_scene.Manifest(), _old, 0).ToJsonString();
        Assert.Contains("memory alone", UpdateScene.Message(500, await _scene.UpdateAsync(back, _scene.Ann)), StringComparison.Ordinal);
    }

    private CoordinatorSnapshot Current => _scene.Coordinator.Host.State.Current;

    private static JsonObject With(JsonObject manifest, Holders holders, int threshold)
    {
        JsonNode? config = manifest["Config"]?.DeepClone();
        holders.AddTo(manifest);
        manifest["Config"] = config;
        if (threshold > 0)
            manifest["Config"]!["RecoveryThreshold"] = threshold;
        return manifest;
    }

    private async Task LoseKeyAsync()
    {
        await _scene.Coordinator.Host.DisposeAsync();
        File.Delete(Path.Combine(_scene.Coordinator.SealFolder, SealFolder.KeyName));
        await _scene.Coordinator.RestartAsync();
        Assert.Equal(CoordinatorState.Recovery, Current.State);
    }
}
