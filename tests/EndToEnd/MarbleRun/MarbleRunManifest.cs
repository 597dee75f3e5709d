using System.Text.Json.Nodes;

namespace Cloister.EndToEnd.MarbleRun;

/// <summary>A manifest with everything that the flows need; a test changes what it is about.</summary>
internal static class MarbleRunManifest
{
    public static JsonObject Create(MarbleRunUser owner, MarbleRunUser first, MarbleRunUser second) => new()
    {
        ["Packages"] = JsonNode.Parse("""{"backend":{"SignerID":"1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100","ProductID":3,"SecurityVersion":2,"Debug":true}}"""),
        ["Infrastructures"] = JsonNode.Parse("""{"Azure":{"QESVN":2,"PCESVN":3,"CPUSVN":[0,1,2,3],"RootCA":[3,3,3]}}"""),
        ["Marbles"] = JsonNode.Parse("""
            {
              "server": { "Package": "backend", "MaxActivations": 2, "TLS": ["web"], "Parameters": {
                "Files": { "/tmp/plain.txt": "foo", "/tmp/key": "{{ raw .Secrets.shared }}", "/tmp/previous": "{{ raw .Previous.Secrets.shared }}", "/tmp/as-is": { "Data": "{{ raw }}", "NoTemplates": true } },
                "Env": { "OWN": "{{ hex .Secrets.own }}", "ROOT": "{{ pem .MarbleRun.CoordinatorRoot.Cert }}" },
                "Argv": ["./marble", "serve"] } },
              "client": { "Package": "backend" },
              "waiting": { "Package": "backend", "Parameters": { "Files": { "/tmp/user": "{{ raw .Secrets.user }}" } } },
              "counting": { "Package": "backend" }
            }
            """),
        ["Secrets"] = JsonNode.Parse("""
            {
              "shared": { "Type": "symmetric-key", "Size": 128, "Shared": true },
              "own": { "Type": "symmetric-key", "Size": 256 },
              "front": { "Type": "cert-ecdsa", "Size": 256, "Shared": true, "Cert": { "Subject": { "CommonName": "front" } } },
              "user": { "Type": "symmetric-key", "Size": 128, "UserDefined": true }
            }
            """),
        ["TLS"] = JsonNode.Parse("""
            { "web": { "Outgoing": [{ "Addr": "service.namespace", "Port": "4242" }],
                       "Incoming": [{ "Port": "8080" }, { "Port": "9090", "Cert": "front", "DisableClientAuth": true }] } }
            """),
        ["Users"] = new JsonObject
        {
            ["owner"] = new JsonObject { ["Certificate"] = owner.Pem, ["Roles"] = new JsonArray("secrets", "packages") },
            ["first"] = new JsonObject { ["Certificate"] = first.Pem, ["Roles"] = new JsonArray("updates") },
            ["second"] = new JsonObject { ["Certificate"] = second.Pem, ["Roles"] = new JsonArray("updates") },
        },
        ["Roles"] = JsonNode.Parse("""
            {
              "secrets": { "ResourceType": "Secrets", "ResourceNames": ["user"], "Actions": ["ReadSecret", "WriteSecret"] },
              "packages": { "ResourceType": "Packages", "ResourceNames": ["backend"], "Actions": ["UpdateSecurityVersion"] },
              "updates": { "ResourceType": "Manifest", "Actions": ["UpdateManifest"] }
            }
            """),
        ["RecoveryKeys"] = new JsonObject { ["owner"] = owner.RecoveryKey },
        ["Config"] = JsonNode.Parse("""{"FeatureGates":["MonotonicCounter"]}"""),
    };
}

/// <summary>The parties of a flow and the coordinator under test.</summary>
internal sealed class MarbleRunFlow : IAsyncDisposable
{
    public MarbleRunUser Owner { get; } = new("owner");

    public MarbleRunUser First { get; } = new("first");

    public MarbleRunUser Second { get; } = new("second");

    public MarbleRunUser Stranger { get; } = new("stranger");

    public MarbleRunCoordinator Coordinator { get; private init; } = null!;

    public static async Task<MarbleRunFlow> StartAsync() => new() { Coordinator = await MarbleRunCoordinator.StartAsync() };

    public JsonObject Manifest() => MarbleRunManifest.Create(Owner, First, Second);

    /// <summary>Sets a manifest and gives the recovery secrets by name.</summary>
    public async Task<JsonObject?> SetAsync(JsonObject? manifest = null)
    {
        using MarbleRunApi anyone = Coordinator.Api();
        return (await anyone.PostManifestAsync("/api/v2/manifest", (manifest ?? Manifest()).ToJsonString())).Succeeded().Data["RecoverySecrets"] as JsonObject;
    }

    public Task<Activated> ActivateAsync(string type, string? uuid = null) => MarbleRunMarble.ActivateAsync(Coordinator, type, uuid);

    public async ValueTask DisposeAsync()
    {
        await Coordinator.DisposeAsync();
        foreach (MarbleRunUser user in new[] { Owner, First, Second, Stranger })
            user.Dispose();
    }
}
