using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Coordinator.Tests.Hosting;

namespace Cloister.Coordinator.Tests.Update;

/// <summary>A coordinator under MarbleRun's simulation with a manifest of its dialect, three updaters, and one who raises packages.</summary>
internal sealed class UpdateScene : IAsyncDisposable
{
    public TestCoordinator Coordinator { get; private set; } = null!;

    public X509Certificate2 Ann { get; } = TestManifest.Certificate("ann");

    public X509Certificate2 Bob { get; } = TestManifest.Certificate("bob");

    public X509Certificate2 Cyd { get; } = TestManifest.Certificate("cyd");

    public X509Certificate2 Packager { get; } = TestManifest.Certificate("packager");

    public static string Time => "2026-06-01T12:00:00.000Z";

    public static async Task<UpdateScene> StartAsync(Action<JsonObject>? change = null)
    {
        var scene = new UpdateScene { Coordinator = await TestCoordinator.StartAsync(options => options with { Simulation = true }) };
        JsonObject manifest = scene.Manifest();
        change?.Invoke(manifest);
        (int code, JsonElement answer) = await scene.Coordinator.PostAsync("/api/v2/manifest", Body(manifest.ToJsonString()));
        Assert.True(code == 200, answer.ToString());
        return scene;
    }

    public JsonObject Manifest() => JsonNode.Parse($$"""
        {
          "Packages": {
            "p": { "SignerID": "{{new string('5', 64)}}", "ProductID": 7, "SecurityVersion": 3 },
            "q": { "UniqueID": "{{new string('6', 64)}}" }
          },
          "Marbles": {
            "m": { "Package": "p", "Parameters": { "Env": { "K": "{{"{{ hex .Secrets.kept }}"}}", "WAS": "{{"{{ hex .Previous.Secrets.kept }}"}}", "OWN-WAS": "{{"{{ hex .Previous.Secrets.own }}"}}", "OWN": "{{"{{ hex .Secrets.own }}"}}" } } },
            "limited": { "Package": "p", "MaxActivations": 2 }
          },
          "Secrets": {
            "kept": { "Type": "symmetric-key", "Size": 128, "Shared": true },
            "resized": { "Type": "symmetric-key", "Size": 128, "Shared": true },
            "own": { "Type": "symmetric-key", "Size": 256 },
            "uploaded": { "Type": "symmetric-key", "Size": 128, "UserDefined": true }
          },
          "Users": {
            "ann": { "Certificate": {{Pem(Ann)}}, "Roles": ["updater", "secrets"] },
            "bob": { "Certificate": {{Pem(Bob)}}, "Roles": ["updater"] },
            "cyd": { "Certificate": {{Pem(Cyd)}}, "Roles": ["updater"] },
            "packager": { "Certificate": {{Pem(Packager)}}, "Roles": ["packages"] }
          },
          "Roles": {
            "updater": { "ResourceType": "Manifest", "Actions": ["updatemanifest"] },
            "packages": { "ResourceType": "Packages", "ResourceNames": ["p"], "Actions": ["UpdateSecurityVersion"] },
            "secrets": { "ResourceType": "Secrets", "ResourceNames": ["uploaded"], "Actions": ["ReadSecret", "WriteSecret"] }
          },
          "Config": { "UpdateThreshold": 2 }
        }
        """)!.AsObject();

    public static string Raise(ulong version, string package = "p") =>
        new JsonObject { ["Packages"] = new JsonObject { [package] = new JsonObject { ["SecurityVersion"] = version } } }.ToJsonString();

    /// <summary>The body of MarbleRun's v2.</summary>
    public static string Body(string manifest) => JsonSerializer.Serialize(new { manifest = Encoding.UTF8.GetBytes(manifest) });

    public Task<(int Code, JsonElement Json)> UpdateAsync(string manifest, X509Certificate2? user) => Coordinator.PostAsync("/api/v2/update", Body(manifest), user);

    public Task<(int Code, JsonElement Json)> AcknowledgeAsync(string manifest, X509Certificate2? user) => Coordinator.PostAsync("/api/v2/update-manifest", Body(manifest), user);

    public Task<(int Code, JsonElement Json)> CancelAsync(X509Certificate2? user) => Coordinator.PostAsync("/api/v2/update-cancel", "", user);

    /// <summary>The update log without its first line.</summary>
    public string[] Log() => [.. Coordinator.Host.State.Current.UpdateLog.Skip(1)];

    public static string Message(int code, (int Code, JsonElement Json) answer)
    {
        Assert.Equal(code, answer.Code);
        Assert.Equal("error", answer.Json.GetProperty("status").GetString());
        return answer.Json.GetProperty("message").GetString()!;
    }

    private static string Pem(X509Certificate2 certificate) => JsonSerializer.Serialize(certificate.ExportCertificatePem());

    public ValueTask DisposeAsync() => Coordinator.DisposeAsync();
}
