using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Coordinator.Tests.Recovery;
using Cloister.Protocol.Grpc;
using Cloister.Protocol.Marble;

namespace Cloister.Coordinator.Tests.Update;

public sealed class WithheldTests : IAsyncLifetime
{
    private OwnUpdateScene _scene = null!;

    public async Task InitializeAsync() => _scene = await OwnUpdateScene.StartAsync();

    public async Task DisposeAsync() => await _scene.DisposeAsync();

    [Fact]
    public async Task An_update_that_touches_what_it_reaches_withholds_a_secret_until_its_owner_acknowledges()
    {
        Assert.Equal(OwnUpdateScene.ModelKey, await KeyAsync());
        JsonElement result = await _scene.ReplaceAsync(OtherArgument);
        Assert.Equal("""["model-key"]""", result.GetProperty("withheldSecrets").ToString());
        await _scene.Coordinator.RestartAsync();

        await AwaitsAsync();
        Assert.Equal(200, (await _scene.AcknowledgeAsync(_scene.People.Owner)).Code);
        await _scene.Coordinator.RestartAsync();
        Assert.Equal(OwnUpdateScene.ModelKey, await KeyAsync());
        string[] log = [.. _scene.Current.UpdateLog.TakeLast(2)];
        Assert.Equal($$"""{"time":"{{UpdateScene.Time}}","update":"Secret withheld until its owner acknowledges the manifest","secret":"model-key","manifestFingerprint":"{{_scene.Fingerprint}}"}""", log[0]);
        Assert.Equal($$"""{"time":"{{UpdateScene.Time}}","update":"Manifest acknowledged for secret","user":"owner","secret":"model-key","manifestFingerprint":"{{_scene.Fingerprint}}"}""", log[1]);
    }

    [Fact]
    public async Task Uploading_it_again_under_the_new_manifest_releases_it_too()
    {
        await _scene.ReplaceAsync(OtherArgument);
        byte[] other = [.. OwnUpdateScene.ModelKey.Reverse()];
        Assert.Equal(200, (await _scene.UploadAsync(_scene.People.Owner, other)).Code);
        Assert.Equal(other, await KeyAsync());
        Assert.Equal(200, (await _scene.AcknowledgeAsync(_scene.People.Owner)).Code);
    }

    [Fact]
    public async Task An_update_that_leaves_its_reach_alone_withholds_nothing()
    {
        JsonElement result = await _scene.ReplaceAsync(manifest => manifest["Marbles"]!["free"]!["MaxActivations"] = 5);
        Assert.Equal("[]", result.GetProperty("withheldSecrets").ToString());
        Assert.Equal(OwnUpdateScene.ModelKey, await KeyAsync());
    }

    [Fact]
    public async Task An_updater_cannot_agree_for_the_owner_by_giving_himself_the_role()
    {
        await _scene.ReplaceAsync(manifest =>
        {
            OtherArgument(manifest);
            manifest["Users"]!["ann"]!["Roles"] = new JsonArray("updater", "writer", "reader");
        });
        Assert.Equal("NotPermitted", OwnUpdateScene.Error(403, await _scene.AcknowledgeAsync(_scene.Ann)));
        JsonElement read = (await _scene.Coordinator.GetAsync("/api/v3/secrets?s=model-key", _scene.Ann)).Json.GetProperty("data").GetProperty("secrets").GetProperty("model-key");
        Assert.Equal((JsonValueKind.Null, true), (read.GetProperty("Private").ValueKind, read.GetProperty("Withheld").GetBoolean()));
        Assert.DoesNotContain(Convert.ToBase64String(OwnUpdateScene.ModelKey), (await _scene.Coordinator.GetAsync("/api/v2/secrets?s=model-key", _scene.Ann)).Json.ToString(), StringComparison.Ordinal);
        JsonElement own = (await _scene.Coordinator.GetAsync("/api/v3/secrets?s=model-key", _scene.People.Owner)).Json.GetProperty("data").GetProperty("secrets").GetProperty("model-key");
        Assert.Equal(OwnUpdateScene.ModelKey, own.GetProperty("Private").GetBytesFromBase64());
        await AwaitsAsync();
    }

    [Fact]
    public async Task Acknowledgements_of_others_or_of_another_manifest_are_refused()
    {
        string before = _scene.Fingerprint;
        await _scene.ReplaceAsync(OtherArgument);
        Assert.Equal("OtherManifest", OwnUpdateScene.Error(409, await _scene.AcknowledgeAsync(_scene.People.Owner, before)));
        Assert.Equal("NotPermitted", OwnUpdateScene.Error(403, await _scene.AcknowledgeAsync(_scene.People.Reader)));
        Assert.Equal("NotAuthenticated", OwnUpdateScene.Error(401, await _scene.AcknowledgeAsync(null)));
        Assert.Equal("NotAuthenticated", OwnUpdateScene.Error(401, await _scene.AcknowledgeAsync(TestManifest.Certificate("owner"))));
        Assert.Equal("NotPermitted", OwnUpdateScene.Error(403, await _scene.AcknowledgeAsync(_scene.People.Owner, null, "model-key", "shared")));
        Assert.Equal("BadRequest", OwnUpdateScene.Error(400, await _scene.AcknowledgeAsync(_scene.People.Owner, "nonsense")));
        Assert.Equal("BadRequest", OwnUpdateScene.Error(400, await _scene.Coordinator.PostAsync("/api/v3/secrets/acknowledge",
            JsonSerializer.Serialize(new { manifestFingerprint = _scene.Fingerprint, secrets = Array.Empty<string>() }), _scene.People.Owner)));
        await AwaitsAsync();
    }

    [Fact]
    public async Task Back_to_what_the_owner_verified_is_released_and_a_further_update_stays_withheld()
    {
        await _scene.ReplaceAsync(OtherArgument);
        JsonElement further = await _scene.ReplaceAsync(manifest =>
        {
            OtherArgument(manifest);
            manifest["Marbles"]!["free"]!["MaxActivations"] = 5;
        });
        Assert.Equal("""["model-key"]""", further.GetProperty("withheldSecrets").ToString());
        JsonElement back = await _scene.ReplaceAsync(_ => { });
        Assert.Equal("[]", back.GetProperty("withheldSecrets").ToString());
        Assert.Equal(OwnUpdateScene.ModelKey, await KeyAsync());
    }

    [Fact]
    public async Task New_recovery_keys_get_new_secrets_and_what_owners_released_is_forgotten()
    {
        using var holders = new Holders(2);
        JsonElement result = await _scene.ReplaceAsync(manifest =>
        {
            JsonNode config = manifest["Config"]!.DeepClone();
            holders.AddTo(manifest);
            manifest["Config"] = config;
        });
        byte[][] secrets = holders.Open(result.GetProperty("recoverySecrets"));
        Assert.All(secrets, secret => Assert.Equal(32, secret.Length));
        Assert.DoesNotContain("model-key", _scene.Current.Secrets.Keys);
        Assert.Contains("Secret forgotten", _scene.Current.UpdateLog[^1], StringComparison.Ordinal);
        await AwaitsAsync();
        // The state is sealed under a new key, which the new secrets open.
        await _scene.Coordinator.Host.DisposeAsync();
        File.Delete(Path.Combine(_scene.Coordinator.SealFolder, "sealed_key"));
        await _scene.Coordinator.RestartAsync();
        for (int i = 0; i < 2; i++)
            Assert.Equal(200, (await holders.UploadAsync(_scene.Coordinator, i, secrets[i])).Code);
        Assert.Equal(200, (await _scene.UploadAsync(_scene.People.Owner)).Code);
        Assert.Equal(OwnUpdateScene.ModelKey, await KeyAsync());
    }

    [Fact]
    public async Task A_secret_that_came_over_MarbleRuns_wire_is_handled_as_MarbleRun_does()
    {
        Assert.Equal(200, (await _scene.Coordinator.PostAsync("/api/v2/secrets",
            JsonSerializer.Serialize(new { secrets = new Dictionary<string, object> { ["model-key"] = new { Key = OwnUpdateScene.ModelKey } } }), _scene.People.Owner)).Code);
        Assert.Equal("[]", (await _scene.ReplaceAsync(OtherArgument)).GetProperty("withheldSecrets").ToString());
        Assert.Equal(OwnUpdateScene.ModelKey, await KeyAsync());
    }

    private static void OtherArgument(JsonObject manifest) => manifest["Marbles"]!["server"]!["Parameters"]!["Argv"] = new JsonArray("serve", "--other");

    private async Task<byte[]> KeyAsync()
    {
        using var workload = new TestWorkload(_scene.Coordinator, "server");
        return (await workload.ActivateAsync()).Models.Single().Key.ToByteArray();
    }

    private async Task AwaitsAsync()
    {
        using var workload = new TestWorkload(_scene.Coordinator, "server");
        GrpcException refused = await workload.RefusedAsync();
        Assert.Equal((GrpcStatus.Internal, "model-key"), (refused.Status, refused.Trailers[MarbleService.AwaitingSecretTrailer]));
    }
}
