using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Coordinator.State;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Protocol.Marble;

namespace Cloister.Coordinator.Tests.Update;

/// <summary>Whole manifests on MarbleRun's surfaces.</summary>
public sealed class ManifestUpdateTests : IAsyncLifetime
{
    private UpdateScene _scene = null!;

    private CoordinatorSnapshot Current => _scene.Coordinator.Host.State.Current;

    public async Task InitializeAsync() => _scene = await UpdateScene.StartAsync();

    public async Task DisposeAsync() => await _scene.DisposeAsync();

    [Fact]
    public async Task Enough_acknowledgements_of_the_same_bytes_bring_it_into_force()
    {
        string next = Next(manifest => manifest["Marbles"]!["m"]!["Parameters"]!["Argv"] = new JsonArray("new"));
        string fingerprint = TestManifest.Fingerprint(next);
        CoordinatorSnapshot before = Current;

        (int code, JsonElement sent) = await _scene.UpdateAsync(next, _scene.Ann);
        Assert.Equal((200, """{"status":"success","data":{"missingAcknowledgments":1,"missingUsers":["bob","cyd"]}}"""), (code, sent.ToString()));
        await _scene.Coordinator.RestartAsync();
        JsonElement pending = (await _scene.Coordinator.GetAsync("/api/v2/update-manifest")).Json.GetProperty("data");
        Assert.Equal(next, Encoding.UTF8.GetString(pending.GetProperty("manifest").GetBytesFromBase64()));
        Assert.Equal("1 user still needs to acknowledge the update manifest", pending.GetProperty("message").GetString());
        Assert.Equal("""["bob","cyd"]""", pending.GetProperty("missingUsers").ToString());
        Assert.Equal(pending.ToString(), (await _scene.Coordinator.GetAsync("/update-manifest")).Json.GetProperty("data").ToString());
        Assert.Equal(before.Manifest!.Fingerprint, Current.Manifest!.Fingerprint);

        (code, JsonElement applied) = await _scene.AcknowledgeAsync(next, _scene.Cyd);
        Assert.Equal((200, """{"status":"success","data":{"message":"All users have acknowledged the update manifest. Update successfully applied","missingUsers":null,"missingAcknowledgments":0}}"""), (code, applied.ToString()));
        await _scene.Coordinator.RestartAsync();

        JsonElement read = (await _scene.Coordinator.GetAsync("/api/v2/manifest")).Json.GetProperty("data");
        Assert.Equal(fingerprint, read.GetProperty("manifestFingerprint").GetString());
        using ECDsa root = Current.Authority.Root.GetECDsaPublicKey()!;
        Assert.True(root.VerifyData(Encoding.UTF8.GetBytes(next), read.GetProperty("manifestSignatureRootECDSA").GetBytesFromBase64(), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        Assert.Equal(before.Authority.Root.RawData, Current.Authority.Root.RawData);
        Assert.NotEqual(before.Authority.Intermediate.RawData, Current.Authority.Intermediate.RawData);
        Assert.Null(Current.Pending);
        Assert.Equal(404, (await _scene.Coordinator.GetAsync("/api/v2/update-manifest")).Code);
        Assert.Equal(
        [
            $$"""{"time":"{{UpdateScene.Time}}","update":"Complete Manifest update initiated by user. Waiting for acknowledgments to apply the update","user":"ann","missingAcknowledgments":1,"missingUsers":["bob","cyd"],"manifestFingerprint":"{{fingerprint}}"}""",
            $$"""{"time":"{{UpdateScene.Time}}","update":"Complete Manifest update acknowledged by user","user":"cyd","missingAcknowledgments":0,"missingUsers":["bob"],"manifestFingerprint":"{{fingerprint}}"}""",
            $$"""{"time":"{{UpdateScene.Time}}","update":"Complete Manifest updated","manifestFingerprint":"{{fingerprint}}"}""",
        ], _scene.Log());
    }

    [Theory, InlineData(0, 3), InlineData(1, 1), InlineData(3, 3)]
    public async Task The_threshold_in_force_counts_and_zero_means_everybody(int threshold, int needed)
    {
        await using UpdateScene scene = await UpdateScene.StartAsync(manifest => manifest["Config"]!["UpdateThreshold"] = threshold);
        JsonObject manifest = scene.Manifest();
        manifest["Config"]!["UpdateThreshold"] = 1;
        manifest["Marbles"]!["m"]!["MaxActivations"] = 9;
        string next = manifest.ToJsonString(), fingerprint = TestManifest.Fingerprint(next);
        X509Certificate2[] updaters = [scene.Ann, scene.Bob, scene.Cyd];
        for (int i = 0; i < needed; i++)
        {
            Assert.NotEqual(fingerprint, scene.Coordinator.Host.State.Current.Manifest!.Fingerprint);
            (int code, JsonElement answer) = i == 0 ? await scene.UpdateAsync(next, updaters[i]) : await scene.AcknowledgeAsync(next, updaters[i]);
            Assert.Equal((200, needed - 1 - i), (code, answer.GetProperty("data").GetProperty("missingAcknowledgments").GetInt32()));
        }
        Assert.Equal(fingerprint, scene.Coordinator.Host.State.Current.Manifest!.Fingerprint);
        if (threshold == 1)
        {
            Assert.Equal($$"""{"time":"{{UpdateScene.Time}}","update":"Complete Manifest update initiated by user. No further acknowledgements required","user":"ann","manifestFingerprint":"{{fingerprint}}"}""", scene.Log()[0]);
        }
    }

    [Fact]
    public async Task An_acknowledgement_twice_counts_once()
    {
        await using UpdateScene scene = await UpdateScene.StartAsync(manifest => manifest["Config"]!["UpdateThreshold"] = 3);
        string next = scene.Manifest().ToJsonString();
        await scene.UpdateAsync(next, scene.Ann);
        for (int i = 0; i < 2; i++)
        {
            (_, JsonElement answer) = await scene.AcknowledgeAsync(next, scene.Bob);
            Assert.Equal("1 user still needs to acknowledge the update manifest.\nThe following users have not yet accepted: cyd", answer.GetProperty("data").GetProperty("message").GetString());
        }
        (_, JsonElement own) = await scene.AcknowledgeAsync(next, scene.Ann);
        Assert.Equal(1, own.GetProperty("data").GetProperty("missingAcknowledgments").GetInt32());
    }

    [Fact]
    public async Task What_is_acknowledged_must_be_the_pending_bytes_by_an_updater()
    {
        string next = Next(_ => { });
        Assert.Equal("no update in progress", UpdateScene.Message(404, await _scene.AcknowledgeAsync(next, _scene.Ann)));
        Assert.Equal("no update in progress", UpdateScene.Message(404, await _scene.Coordinator.GetAsync("/api/v2/update-manifest")));
        await _scene.UpdateAsync(next, _scene.Ann);
        Assert.Equal("provided manifest does not match the pending manifest", UpdateScene.Message(500, await _scene.AcknowledgeAsync(next + " ", _scene.Bob)));
        Assert.Equal("user packager is not allowed to acknowledge manifest updates", UpdateScene.Message(500, await _scene.AcknowledgeAsync(next, _scene.Packager)));
        Assert.Equal("user packager is not allowed to update the complete manifest", UpdateScene.Message(500, await OnceCancelledAsync(next, _scene.Packager)));
        Assert.Equal(401, (await _scene.AcknowledgeAsync(next, null)).Code);
        Assert.Equal(400, (await _scene.Coordinator.PostAsync("/api/v2/update-manifest", "nonsense", _scene.Bob)).Code);
    }

    [Fact]
    public async Task One_update_at_a_time_and_any_updater_cancels_it()
    {
        string next = Next(_ => { });
        Assert.Equal("no update in progress", UpdateScene.Message(404, await _scene.CancelAsync(_scene.Bob)));
        await _scene.UpdateAsync(next, _scene.Ann);
        Assert.Equal("update already in progress. Acknowledge the update to apply it, or cancel it to start a new one",
            UpdateScene.Message(500, await _scene.UpdateAsync(Next(manifest => manifest["Config"]!["UpdateThreshold"] = 1), _scene.Bob)));
        Assert.Equal("user packager is not allowed to cancel the manifest update", UpdateScene.Message(500, await _scene.CancelAsync(_scene.Packager)));
        Assert.Equal(401, (await _scene.CancelAsync(null)).Code);
        (int code, JsonElement cancelled) = await _scene.CancelAsync(_scene.Bob);
        Assert.Equal((200, """{"status":"success","data":{"message":"Update successfully cancelled"}}"""), (code, cancelled.ToString()));
        Assert.Equal("no update in progress", UpdateScene.Message(404, await _scene.AcknowledgeAsync(next, _scene.Bob)));
        Assert.Equal($$"""{"time":"{{UpdateScene.Time}}","update":"Complete Manifest update cancelled by user","user":"bob","manifestFingerprint":"{{TestManifest.Fingerprint(next)}}"}""", _scene.Log()[^1]);
        Assert.Equal(200, (await _scene.UpdateAsync(next, _scene.Bob)).Code);
    }

    [Fact]
    public async Task V1_acknowledges_and_cancels_in_its_own_shapes()
    {
        string next = Next(_ => { });
        Assert.Equal("no update in progress", UpdateScene.Message(404, await _scene.Coordinator.PostAsync("/update-manifest", next, _scene.Ann)));
        Assert.Equal("no update in progress", UpdateScene.Message(404, await _scene.Coordinator.PostAsync("/update-cancel", "", _scene.Ann)));
        Assert.Equal("""{"status":"success","data":null}""", (await _scene.Coordinator.PostAsync("/update", next, _scene.Ann)).Json.ToString());
        Assert.Equal("provided manifest does not match the pending manifest", UpdateScene.Message(500, await _scene.Coordinator.PostAsync("/update-manifest", "{}", _scene.Bob)));
        Assert.Equal("user packager is not allowed to cancel the manifest update", UpdateScene.Message(500, await _scene.Coordinator.PostAsync("/update-cancel", "", _scene.Packager)));
        Assert.Equal("""{"status":"success","data":"Update successfully cancelled"}""", (await _scene.Coordinator.PostAsync("/update-cancel", "", _scene.Cyd)).Json.ToString());
        await _scene.Coordinator.PostAsync("/update", next, _scene.Ann);
        Assert.Equal("""{"status":"success","data":"1 user still needs to acknowledge the update manifest"}""", (await _scene.Coordinator.PostAsync("/update-manifest", next, _scene.Ann)).Json.ToString());
        Assert.Equal("""{"status":"success","data":"All users have acknowledged the update manifest. Update successfully applied"}""",
            (await _scene.Coordinator.PostAsync("/update-manifest", next, _scene.Bob)).Json.ToString());
    }

    [Fact]
    public async Task A_manifest_that_cannot_come_into_force_is_refused_when_it_is_sent()
    {
        await RefusedAsync(manifest => manifest["Marbles"]!["m"]!["Package"] = "gone", "invalid manifest: manifest does not contain marble package gone");
        await RefusedAsync(manifest => manifest["Config"]!["UpdateThreshold"] = 4, "invalid manifest: not enough users with manifest update permissions (3) to meet the threshold of 4");
        await RefusedAsync(manifest => manifest["Secrets"]!["kept"]!["Size"] = 3, "updating secrets: generating secrets from manifest: ");
        await RefusedAsync(manifest => manifest["Marbles"]!["m"]!["Parameters"]!["Env"]!["K"] = "{{ hex }}", "updating secrets: running manifest template dry run: ");
        await RefusedAsync(manifest => manifest["Users"]!["ann"]!["Certificate"] = "garbage", "generating users from manifest: received invalid certificate for user ann");
        Assert.Null(Current.Pending);
        Assert.Empty(_scene.Log());

        async Task RefusedAsync(Action<JsonObject> change, string message) =>
            Assert.StartsWith(message, UpdateScene.Message(500, await _scene.UpdateAsync(Next(change), _scene.Ann)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Symmetric_and_uploaded_secrets_stay_while_their_definition_does()
    {
        Assert.Equal(200, (await _scene.Coordinator.PostAsync("/api/v2/secrets", """{"secrets":{"uploaded":{"Key":"AAAAAAAAAAAAAAAAAAAAAA=="}}}""", _scene.Ann)).Code);
        CoordinatorSnapshot before = Current;
        await ApplyAsync(manifest =>
        {
            manifest["Secrets"]!["resized"]!["Size"] = 256;
            manifest["Secrets"]!["added"] = new JsonObject { ["Type"] = "symmetric-key", ["Size"] = 64, ["Shared"] = true };
        });
        Assert.Equal(before.Secrets["kept"], Current.Secrets["kept"]);
        Assert.Equal(before.Secrets["uploaded"], Current.Secrets["uploaded"]);
        Assert.Equal(32, Current.Secrets["resized"].Private.Length);
        Assert.Equal(8, Current.Secrets["added"].Private.Length);
        Assert.Empty(Current.PreviousSecrets);
        Assert.Equal(before.RootSecret.ToArray(), Current.RootSecret.ToArray());
        Assert.Empty(Current.Withheld);

        await ApplyAsync(manifest =>
        {
            manifest["Secrets"]!.AsObject().Remove("resized");
            manifest["Secrets"]!["uploaded"]!["Size"] = 256;
        });
        Assert.Equal(["kept"], Current.Secrets.Keys);
    }

    [Fact]
    public async Task Rotation_makes_symmetric_keys_anew_and_keeps_the_old_ones_as_previous()
    {
        CoordinatorSnapshot first = Current;
        await ApplyAsync(manifest => manifest["Config"]!["RotateRootSecret"] = true);
        await _scene.Coordinator.RestartAsync();
        CoordinatorSnapshot second = Current;
        Assert.NotEqual(first.Secrets["kept"], second.Secrets["kept"]);
        Assert.Equal(first.Secrets["kept"], second.PreviousSecrets["kept"]);
        Assert.Equal(first.RootSecret.ToArray(), second.PreviousRootSecret.ToArray());
        Assert.NotEqual(first.RootSecret.ToArray(), second.RootSecret.ToArray());

        await ApplyAsync(manifest => manifest["Secrets"]!["added"] = new JsonObject { ["Type"] = "symmetric-key", ["Size"] = 64, ["Shared"] = true });
        Assert.Equal(second.Secrets["kept"], Current.Secrets["kept"]);
        Assert.Equal(first.Secrets["kept"], Current.PreviousSecrets["kept"]);
        Assert.Equal(first.RootSecret.ToArray(), Current.PreviousRootSecret.ToArray());
    }

    [Fact]
    public async Task A_marble_reads_the_keys_from_before_a_rotation()
    {
        using var marble = new TestWorkload(_scene.Coordinator, "m");
        var first = await ActivateAsync();
        Assert.Equal((first["K"], first["OWN"]), (first["WAS"], first["OWN-WAS"]));
        await ApplyAsync(manifest => manifest["Config"]!["RotateRootSecret"] = true);
        var second = await ActivateAsync();
        Assert.Equal((first["K"], first["OWN"]), (second["WAS"], second["OWN-WAS"]));
        Assert.NotEqual(first["K"], second["K"]);
        Assert.NotEqual(first["OWN"], second["OWN"]);
        using X509Certificate2 root = X509Certificate2.CreateFromPem(second["MARBLE_PREDEFINED_ROOT_CA"]);
        Assert.Equal(Current.Authority.MarbleRoot.RawData, root.RawData);

        async Task<Dictionary<string, string>> ActivateAsync() =>
            (await marble.SendAsync(new ActivationReq { CSR = Google.Protobuf.ByteString.CopyFrom(marble.Csr), MarbleType = "m", UUID = marble.Uuid }))
                .Parameters.Env.ToDictionary(variable => variable.Key, variable => variable.Value.ToStringUtf8());
    }

    [Fact]
    public async Task Raised_versions_give_way_to_the_new_manifest_and_used_activations_stay()
    {
        await _scene.UpdateAsync(UpdateScene.Raise(5), _scene.Packager);
        await _scene.Coordinator.Host.State.ChangeAsync(current => current with { Activations = current.Activations.SetItem("limited", 2) }, default);
        await ApplyAsync(_ => { });
        Assert.Empty(Current.SecurityVersions);
        Assert.Equal(2, Current.Activations["limited"]);
    }

    [Fact]
    public async Task The_new_manifests_users_rule_afterwards()
    {
        await ApplyAsync(manifest =>
        {
            manifest["Users"]!.AsObject().Remove("ann");
            manifest["Config"]!["UpdateThreshold"] = 1;
        });
        Assert.Equal(401, (await _scene.UpdateAsync(Next(_ => { }), _scene.Ann)).Code);
        Assert.Equal(200, (await _scene.UpdateAsync(Next(_ => { }), _scene.Bob)).Code);
    }

    private async Task ApplyAsync(Action<JsonObject> change)
    {
        string next = Next(change);
        Assert.Equal(200, (await _scene.UpdateAsync(next, _scene.Ann)).Code);
        Assert.Equal(200, (await _scene.AcknowledgeAsync(next, _scene.Bob)).Code);
        Assert.Equal(TestManifest.Fingerprint(next), Current.Manifest!.Fingerprint);
    }

    private async Task<(int Code, JsonElement Json)> OnceCancelledAsync(string next, X509Certificate2 user)
    {
        await _scene.CancelAsync(_scene.Ann);
        return await _scene.UpdateAsync(next, user);
    }

    private string Next(Action<JsonObject> change)
    {
        JsonObject manifest = _scene.Manifest();
        change(manifest);
        return manifest.ToJsonString();
    }
}
