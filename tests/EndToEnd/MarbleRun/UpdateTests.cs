using System.Text.Json.Nodes;

namespace Cloister.EndToEnd.MarbleRun;

/// <summary>Updates of a manifest as MarbleRun's users apply them.</summary>
public sealed class UpdateTests
{
    [Fact]
    public async Task A_package_update_raises_the_security_version_and_renews_the_intermediate()
    {
        await using MarbleRunFlow flow = await MarbleRunFlow.StartAsync();
        await flow.SetAsync();
        Activated before = (await flow.ActivateAsync("server")).Succeeded();
        using MarbleRunApi owner = flow.Coordinator.Api(flow.Owner), first = flow.Coordinator.Api(flow.First);
        (await first.PostManifestAsync("/api/v2/update", Package(5))).IsError(500, "user first is not allowed to update one or more packages of [backend]");
        Assert.Equal(500, (await owner.PostManifestAsync("/api/v2/update", Package(1))).Code);
        Assert.Equal("""{"status":"success","data":{"missingAcknowledgments":0,"missingUsers":null}}""" + "\n", (await owner.PostManifestAsync("/api/v2/update", Package(5))).Succeeded().Body);
        Assert.Equal("""{"status":"success","data":null}""" + "\n", (await owner.PostAsync("/update", Package(6))).Succeeded().Body);
        Assert.Equal(400, (await owner.PostAsync("/update", Package(4))).Code);

        Activated after = (await flow.ActivateAsync("server")).Succeeded();
        Assert.Equal(before.Files["/tmp/key"], after.Files["/tmp/key"]);
        Assert.Equal(before.Variable("MARBLE_PREDEFINED_COORDINATOR_ROOT_CA"), after.Variable("MARBLE_PREDEFINED_COORDINATOR_ROOT_CA"));
        Assert.NotEqual(before.Variable("MARBLE_PREDEFINED_ROOT_CA"), after.Variable("MARBLE_PREDEFINED_ROOT_CA"));
        string[] log = [.. (await owner.GetAsync("/api/v2/update")).Succeeded().Data["updateLog"]!.AsArray().Select(line => (string)line!)];
        Assert.EndsWith(""","update":"SecurityVersion increased","user":"owner","package":"backend","new version":5}""", log[1], StringComparison.Ordinal);
        Assert.EndsWith(""","update":"SecurityVersion increased","user":"owner","package":"backend","new version":6}""", log[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_manifest_waits_for_everyone_and_survives_a_restart_meanwhile()
    {
        await using MarbleRunFlow flow = await MarbleRunFlow.StartAsync();
        await flow.SetAsync();
        Activated before = (await flow.ActivateAsync("server")).Succeeded();
        JsonObject changed = flow.Manifest();
        changed["Marbles"]!["added"] = JsonNode.Parse("""{ "Package": "backend", "Parameters": { "Files": { "/tmp/key": "{{ raw .Secrets.shared }}" } } }""");
        string manifest = changed.ToJsonString();
        using (MarbleRunApi owner = flow.Coordinator.Api(flow.Owner), first = flow.Coordinator.Api(flow.First), second = flow.Coordinator.Api(flow.Second))
        {
            (await second.PostManifestAsync("/api/v2/update-manifest", manifest)).IsError(404, "no update in progress");
            (await second.PostAsync("/api/v2/update-cancel")).IsError(404, "no update in progress");
            (await owner.PostManifestAsync("/api/v2/update", manifest)).IsError(500, "user owner is not allowed to update the complete manifest");
            Assert.Equal("""{"status":"success","data":{"missingAcknowledgments":1,"missingUsers":["second"]}}""" + "\n", (await first.PostManifestAsync("/api/v2/update", manifest)).Succeeded().Body);
            (await second.PostManifestAsync("/api/v2/update", manifest)).IsError(500, "update already in progress. Acknowledge the update to apply it, or cancel it to start a new one");
            JsonNode pending = (await owner.GetAsync("/api/v2/update-manifest")).Succeeded().Data;
            Assert.Equal(("1 user still needs to acknowledge the update manifest", "second"), ((string)pending["message"]!, (string)pending["missingUsers"]![0]!));
            (await second.PostManifestAsync("/api/v2/update-manifest", manifest + " ")).IsError(500, "provided manifest does not match the pending manifest");
            Assert.Equal("""{"status":"success","data":{"message":"Update successfully cancelled"}}""" + "\n", (await second.PostAsync("/api/v2/update-cancel")).Succeeded().Body);
            (await first.PostManifestAsync("/api/v2/update", manifest)).Succeeded();
        }
        await flow.Coordinator.RestartAsync();
        using (MarbleRunApi second = flow.Coordinator.Api(flow.Second))
        {
            Assert.Equal(Activated.PermissionDenied, (await flow.ActivateAsync("added")).Code);
            JsonNode applied = (await second.PostManifestAsync("/api/v2/update-manifest", manifest)).Succeeded().Data;
            Assert.Equal(("All users have acknowledged the update manifest. Update successfully applied", 0), ((string)applied["message"]!, (int)applied["missingAcknowledgments"]!));
            Assert.Equal(manifest, System.Text.Encoding.UTF8.GetString(Convert.FromBase64String((string)(await second.GetAsync("/api/v2/manifest")).Succeeded().Data["manifest"]!)));
        }
        Activated added = (await flow.ActivateAsync("added")).Succeeded();
        Assert.Equal(before.Files["/tmp/key"], added.Files["/tmp/key"]);
        Assert.Equal(before.Variable("MARBLE_PREDEFINED_COORDINATOR_ROOT_CA"), added.Variable("MARBLE_PREDEFINED_COORDINATOR_ROOT_CA"));
        Assert.NotEqual(before.Variable("MARBLE_PREDEFINED_ROOT_CA"), added.Variable("MARBLE_PREDEFINED_ROOT_CA"));
    }

    [Fact]
    public async Task A_rotation_gives_new_keys_and_keeps_the_previous_ones()
    {
        await using MarbleRunFlow flow = await MarbleRunFlow.StartAsync();
        JsonObject changed = flow.Manifest();
        changed["Marbles"]!["server"]!["MaxActivations"] = 3;
        await flow.SetAsync(changed);
        Activated before = (await flow.ActivateAsync("server")).Succeeded();
        changed["Config"] = JsonNode.Parse("""{ "RotateRootSecret": true, "UpdateThreshold": 1 }""");
        await ApplyAsync(flow, changed);
        Activated after = (await flow.ActivateAsync("server")).Succeeded();
        Assert.NotEqual(before.Files["/tmp/key"], after.Files["/tmp/key"]);
        Assert.Equal(before.Files["/tmp/key"], after.Files["/tmp/previous"]);
        await flow.Coordinator.RestartAsync();
        Assert.Equal(after.Files["/tmp/key"], (await flow.ActivateAsync("server")).Succeeded().Files["/tmp/key"]);
    }

    [Fact]
    public async Task New_recovery_keys_give_new_recovery_secrets()
    {
        await using MarbleRunFlow flow = await MarbleRunFlow.StartAsync();
        byte[] old = flow.Owner.Decrypt((string)(await flow.SetAsync())!["owner"]!);
        JsonObject changed = flow.Manifest();
        changed["RecoveryKeys"] = new JsonObject { ["second"] = flow.Second.RecoveryKey };
        JsonNode applied = await ApplyAsync(flow, changed);
        byte[] secret = flow.Second.Decrypt((string)applied["recoverySecrets"]!["second"]!);
        await flow.Coordinator.RestartAsync("sealed_key");
        using MarbleRunApi anyone = flow.Coordinator.Api();
        Assert.Equal(1, await anyone.StatusAsync());
        await anyone.RecoverAsync(old, flow.Owner.Sign(old));
        Assert.Equal(1, await anyone.StatusAsync());
        (await anyone.RecoverAsync(secret, flow.Second.Sign(secret))).Succeeded();
        Assert.Equal(3, await anyone.StatusAsync());
    }

    private static async Task<JsonNode> ApplyAsync(MarbleRunFlow flow, JsonObject manifest)
    {
        using MarbleRunApi first = flow.Coordinator.Api(flow.First), second = flow.Coordinator.Api(flow.Second);
        (await first.PostManifestAsync("/api/v2/update", manifest.ToJsonString())).Succeeded();
        return (await second.PostManifestAsync("/api/v2/update-manifest", manifest.ToJsonString())).Succeeded().Data;
    }

    private static string Package(int version) => new JsonObject { ["Packages"] = new JsonObject { ["backend"] = new JsonObject { ["SecurityVersion"] = version } } }.ToJsonString();
}
