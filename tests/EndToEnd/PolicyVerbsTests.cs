using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Cloister.EndToEnd;

/// <summary>The same words on Cloister's own wire: everything under a policy, with fresh evidence from the simulated TEE.</summary>
public sealed class PolicyVerbsTests
{
    [Fact]
    public async Task A_manifest_is_set_updated_and_its_withheld_secret_released_again()
    {
        await using Deployment deployment = await Deployment.CreateAsync();
        await deployment.StartCoordinatorAsync();
        string address = deployment.ClientAddress.Authority, policy = deployment["policy.json"];
        await File.WriteAllTextAsync(policy, deployment.PolicyText);
        Ended made = await CloisterCommand.RunAsync("user", "keygen", "--name", "admin", "--out", deployment["users"], "--json");
        made.Succeeded();
        var manifest = new JsonObject
        {
            ["Packages"] = new JsonObject { ["p"] = JsonNode.Parse(deployment.Package(new string('a', 64))), ["q"] = JsonNode.Parse(deployment.Package(new string('b', 64))) },
            ["Marbles"] = new JsonObject { ["m"] = new JsonObject { ["Package"] = "p", ["Parameters"] = new JsonObject { ["Files"] = new JsonObject { ["key"] = "{{ raw .Secrets.key }}" } } } },
            ["Secrets"] = new JsonObject { ["key"] = new JsonObject { ["Type"] = "plain", ["UserDefined"] = true } },
            ["Users"] = new JsonObject { ["admin"] = new JsonObject { ["Certificate"] = (string)made.Lines[0]["certificate"]!, ["Roles"] = new JsonArray("write", "update") } },
            ["Roles"] = new JsonObject
            {
                ["write"] = new JsonObject { ["ResourceType"] = "Secrets", ["ResourceNames"] = new JsonArray("key"), ["Actions"] = new JsonArray("WriteSecret") },
                ["update"] = new JsonObject { ["ResourceType"] = "Manifest", ["Actions"] = new JsonArray("UpdateManifest") },
            },
        };
        string first = await WriteAsync(deployment["first.json"], manifest), value = deployment["value"];
        manifest["Marbles"]!["m"]!["Package"] = "q";
        string second = await WriteAsync(deployment["second.json"], manifest);
        await File.WriteAllTextAsync(value, "secret");
        string[] trust = ["--policy", policy], admin = [.. trust, "-c", deployment["users/admin.crt"], "-k", deployment["users/admin.key"]];

        (await CloisterCommand.RunAsync(["manifest", "set", first, address, .. trust])).Succeeded();
        Ended status = await CloisterCommand.RunAsync(["status", address, .. trust, "--json"]);
        status.Succeeded();
        Assert.True((bool)status.Lines[0]["verified"]!);
        (await CloisterCommand.RunAsync(["certificate", "chain", address, .. trust, "-o", deployment["chain.pem"]])).Succeeded();
        Assert.Equal(2, (await CloisterCommand.RunAsync(["secret", "set", "key", address, "--file", value, .. admin])).Code);
        Assert.Equal(3, (await CloisterCommand.RunAsync(["secret", "set", "key", address, "--file", value, "--manifest", second, .. admin])).Code);
        (await CloisterCommand.RunAsync(["secret", "set", "key", address, "--file", value, "--manifest", first, .. admin])).Succeeded();

        Ended update = await CloisterCommand.RunAsync(["manifest", "update", "apply", second, address, .. admin, "--json"]);
        update.Succeeded();
        Assert.True((bool)update.Lines[0]["inForce"]!);
        Assert.Equal("key", (string)Assert.Single(update.Lines[0]["withheldSecrets"]!.AsArray())!);
        (await CloisterCommand.RunAsync(["manifest", "verify", second, address, .. trust])).Succeeded();
        Assert.Equal(3, (await CloisterCommand.RunAsync(["secret", "acknowledge", "key", address, "--manifest", first, .. admin])).Code);
        (await CloisterCommand.RunAsync(["secret", "acknowledge", "key", address, "--manifest", second, .. admin])).Succeeded();
        Ended log = await CloisterCommand.RunAsync(["manifest", "log", address, .. trust]);
        log.Succeeded();
        Assert.Equal(5, (await CloisterCommand.RunAsync(["manifest", "update", "cancel", address, .. admin])).Code);
    }

    [Fact]
    public async Task A_state_is_recovered_from_a_coordinator_that_shows_evidence()
    {
        await using Deployment deployment = await Deployment.CreateAsync();
        await deployment.StartCoordinatorAsync();
        string address = deployment.ClientAddress.Authority, policy = deployment["policy.json"];
        await File.WriteAllTextAsync(policy, deployment.PolicyText);
        using var key = RSA.Create(2048);
        await File.WriteAllTextAsync(deployment["recovery.pem"], key.ExportPkcs8PrivateKeyPem());
        string manifest = await WriteAsync(deployment["manifest.json"], new JsonObject
        {
            ["Packages"] = new JsonObject { ["p"] = JsonNode.Parse(deployment.Package(new string('a', 64))) },
            ["Marbles"] = new JsonObject { ["m"] = new JsonObject { ["Package"] = "p" } },
            ["RecoveryKeys"] = new JsonObject { ["holder"] = key.ExportSubjectPublicKeyInfoPem() },
        });
        Ended set = await CloisterCommand.RunAsync("manifest", "set", manifest, address, "--policy", policy, "--json");
        set.Succeeded();
        await File.WriteAllBytesAsync(deployment["share"], Convert.FromBase64String((string)set.Lines[0]["RecoverySecrets"]!["holder"]!));

        await deployment.KillCoordinatorAsync();
        File.Delete(Path.Combine(deployment["state"], "sealed_key"));
        await deployment.StartCoordinatorAsync();
        Ended status = await CloisterCommand.RunAsync("status", address, "--policy", policy, "--json");
        status.Succeeded();
        Assert.Equal((1, true), ((int)status.Lines[0]["code"]!, (bool)status.Lines[0]["verified"]!));
        Assert.Equal(3, (await CloisterCommand.RunAsync("manifest", "verify", manifest, address, "--policy", policy)).Code);

        string another = await WriteAsync(deployment["another.json"], JsonNode.Parse(deployment.PolicyText.Replace(deployment.CoordinatorDigest, new string('e', 64), StringComparison.Ordinal))!);
        Assert.Equal(3, (await CloisterCommand.RunAsync("recover", deployment["share"], address, "--policy", another, "-k", deployment["recovery.pem"])).Code);
        Ended recovered = await CloisterCommand.RunAsync("recover", deployment["share"], address, "--policy", policy, "-k", deployment["recovery.pem"], "--json");
        recovered.Succeeded();
        Assert.True((bool)recovered.Lines[0]["recovered"]!);
        (await CloisterCommand.RunAsync("manifest", "verify", manifest, address, "--policy", policy)).Succeeded();
    }

    private static async Task<string> WriteAsync(string path, JsonNode document)
    {
        await File.WriteAllTextAsync(path, document.ToJsonString());
        return path;
    }
}
