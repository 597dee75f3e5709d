using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Coordinator.State;
using Cloister.Coordinator.Tests.Hosting;

namespace Cloister.Coordinator.Tests.Update;

/// <summary>A coordinator in Cloister's mode with a manifest of its dialect, a model owner who has released a key, and two updaters.</summary>
internal sealed class OwnUpdateScene : IAsyncDisposable
{
    public static readonly byte[] ModelKey = RandomNumberGenerator.GetBytes(32);

    public TestCoordinator Coordinator { get; private set; } = null!;

    public TestManifest People { get; private set; } = null!;

    public X509Certificate2 Ann { get; } = TestManifest.Certificate("ann");

    public X509Certificate2 Bob { get; } = TestManifest.Certificate("bob");

    public CoordinatorSnapshot Current => Coordinator.Host.State.Current;

    public string Fingerprint => Current.Manifest!.Fingerprint;

    public static async Task<OwnUpdateScene> StartAsync(Func<CoordinatorOptions, CoordinatorOptions>? configure = null, Action<JsonObject>? change = null, params (ECDsa Key, string Over)[] owners)
    {
        var scene = new OwnUpdateScene { Coordinator = await TestCoordinator.StartAsync(configure) };
        scene.People = new TestManifest(scene.Coordinator.HostKey);
        string manifest = scene.Manifest(change);
        (int code, JsonElement answer) = await scene.Coordinator.SetManifestAsync(manifest, [.. owners.Select(owner => (owner.Key, manifest))]);
        Assert.True(code == 200, answer.ToString());
        Assert.Equal(200, (await scene.UploadAsync(scene.People.Owner)).Code);
        return scene;
    }

    public string Manifest(Action<JsonObject>? change = null)
    {
        JsonObject manifest = People.Json();
        manifest["Packages"]!["enclave"] = new JsonObject { ["SignerID"] = new string('5', 64), ["ProductID"] = 7, ["SecurityVersion"] = 3 };
        manifest["Users"]!["ann"] = new JsonObject { ["Certificate"] = Ann.ExportCertificatePem(), ["Roles"] = new JsonArray("updater", "packages") };
        manifest["Users"]!["bob"] = new JsonObject { ["Certificate"] = Bob.ExportCertificatePem(), ["Roles"] = new JsonArray("updater") };
        manifest["Roles"]!["updater"] = new JsonObject { ["ResourceType"] = "Manifest", ["ResourceNames"] = new JsonArray(), ["Actions"] = new JsonArray("UpdateManifest") };
        manifest["Roles"]!["packages"] = new JsonObject { ["ResourceType"] = "Packages", ["ResourceNames"] = new JsonArray("serving", "enclave"), ["Actions"] = new JsonArray("UpdateSecurityVersion") };
        manifest["Config"] = new JsonObject { ["UpdateThreshold"] = 1 };
        change?.Invoke(manifest);
        return manifest.ToJsonString();
    }

    public static string Raise(string package, ulong version) => new JsonObject { ["Packages"] = new JsonObject { [package] = new JsonObject { ["SecurityVersion"] = version } } }.ToJsonString();

    public Task<(int Code, JsonElement Json)> UpdateAsync(string manifest, X509Certificate2? user, params ECDsa[] owners) =>
        Coordinator.PostAsync("/api/v3/update", TestManifest.Request(manifest, [.. owners.Select(owner => (owner, manifest))]), user);

    public Task<(int Code, JsonElement Json)> AgreeAsync(string manifest, X509Certificate2? user) =>
        Coordinator.PostAsync("/api/v3/update-manifest", JsonSerializer.Serialize(new { manifest = Encoding.UTF8.GetBytes(manifest) }), user);

    public Task<(int Code, JsonElement Json)> CancelAsync(string fingerprint, X509Certificate2? user) =>
        Coordinator.PostAsync("/api/v3/update-cancel", JsonSerializer.Serialize(new { fingerprint }), user);

    public Task<(int Code, JsonElement Json)> AcknowledgeAsync(X509Certificate2? user, string? fingerprint = null, params string[] secrets) =>
        Coordinator.PostAsync("/api/v3/secrets/acknowledge", JsonSerializer.Serialize(new { manifestFingerprint = fingerprint ?? Fingerprint, secrets = secrets.Length == 0 ? ["model-key"] : secrets }), user);

    public Task<(int Code, JsonElement Json)> UploadAsync(X509Certificate2? user, byte[]? key = null) =>
        Coordinator.PostAsync("/api/v3/secrets", TestManifest.Upload(Fingerprint, ("model-key", key ?? ModelKey)), user);

    /// <summary>Replaces the manifest; the answer's data.</summary>
    public async Task<JsonElement> ReplaceAsync(Action<JsonObject> change)
    {
        string next = Manifest(change);
        (int code, JsonElement answer) = await UpdateAsync(next, Ann);
        Assert.True(code == 200, answer.ToString());
        Assert.Equal(TestManifest.Fingerprint(next), Fingerprint);
        return answer.GetProperty("data");
    }

    public static string Error(int code, (int Code, JsonElement Json) answer)
    {
        Assert.True(code == answer.Code, answer.Json.ToString());
        return answer.Json.GetProperty("code").GetString()!;
    }

    public ValueTask DisposeAsync() => Coordinator.DisposeAsync();
}
