using System.Text.Json;
using Cloister.Coordinator.State;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Coordinator.Update;

namespace Cloister.Coordinator.Tests.Update;

public sealed class PackageUpdateTests : IAsyncLifetime
{
    private UpdateScene _scene = null!;

    private CoordinatorSnapshot Current => _scene.Coordinator.Host.State.Current;

    public async Task InitializeAsync() => _scene = await UpdateScene.StartAsync();

    public async Task DisposeAsync() => await _scene.DisposeAsync();

    [Fact]
    public async Task A_raise_rotates_the_intermediate_and_leaves_the_manifest_and_keys()
    {
        CoordinatorSnapshot before = Current;
        (int code, JsonElement answer) = await _scene.UpdateAsync(UpdateScene.Raise(5), _scene.Packager);
        Assert.Equal((200, """{"status":"success","data":{"missingAcknowledgments":0,"missingUsers":null}}"""), (code, answer.ToString()));
        await _scene.Coordinator.RestartAsync();
        CoordinatorSnapshot after = Current;

        Assert.Equal(before.Manifest!.Fingerprint, after.Manifest!.Fingerprint);
        Assert.Equal(before.Authority.Root.RawData, after.Authority.Root.RawData);
        Assert.NotEqual(before.Authority.IntermediateSpki.ToArray(), after.Authority.IntermediateSpki.ToArray());
        Assert.Equal(after.Authority.IntermediateSpki.ToArray(), after.Authority.MarbleRoot.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.Equal(before.Authority.Intermediate.Subject, after.Authority.Intermediate.Subject);
        Assert.True(after.Authority.Intermediate.MatchesHostname("localhost"));
        Assert.Equal(before.Secrets["kept"], after.Secrets["kept"]);
        Assert.Empty(after.PreviousSecrets);
        Assert.Equal(before.RootSecret.ToArray(), after.RootSecret.ToArray());
        Assert.Equal(5UL, PackageInForce.Find(after, "p")!.SecurityVersion);
        Assert.Equal(3UL, after.Manifest.Document.Packages["p"].SecurityVersion);
        Assert.Null(PackageInForce.Find(after, "nothing"));
        Assert.Equal([$$"""{"time":"{{UpdateScene.Time}}","update":"SecurityVersion increased","user":"packager","package":"p","new version":5}"""], _scene.Log());
    }

    [Fact]
    public async Task The_same_version_again_is_no_downgrade_and_a_lower_one_is()
    {
        Assert.Equal(200, (await _scene.UpdateAsync(UpdateScene.Raise(5), _scene.Packager)).Code);
        Assert.Equal(200, (await _scene.UpdateAsync(UpdateScene.Raise(5), _scene.Packager)).Code);
        CoordinatorSnapshot before = Current;
        Assert.Equal("checking update manifest: update manifest tries to downgrade SecurityVersion of the original manifest",
            UpdateScene.Message(500, await _scene.UpdateAsync(UpdateScene.Raise(4), _scene.Packager)));
        Assert.Equal(before.Version, Current.Version);
        Assert.Equal(2, _scene.Log().Length);
    }

    [Theory]
    [InlineData("""{"Packages":{"p":{"SecurityVersion":5,"Debug":true}}}""", "checking update manifest: update manifest contains unupdatable values")]
    [InlineData("""{"Packages":{"p":{"SecurityVersion":5,"UniqueID":"1"}}}""", "checking update manifest: update manifest contains unupdatable values")]
    [InlineData("""{"Packages":{"p":{"SecurityVersion":5,"SignerID":"1"}}}""", "checking update manifest: update manifest contains unupdatable values")]
    [InlineData("""{"Packages":{"p":{"SecurityVersion":5,"ProductID":0}}}""", "checking update manifest: update manifest contains unupdatable values")]
    [InlineData("""{"Packages":{"p":{}}}""", "checking update manifest: update manifest does not specify a SecurityVersion to update")]
    [InlineData("""{}""", "checking update manifest: no packages defined")]
    [InlineData("""{"Packages":{"q":{"SecurityVersion":5}}}""", "user packager is not allowed to update one or more packages of [q]")]
    [InlineData("""{"Packages":{"q":{"SecurityVersion":5},"p":{"SecurityVersion":5}}}""", "user packager is not allowed to update one or more packages of [p q]")]
    [InlineData("""{"Packages":{"x":{"SecurityVersion":5}}}""", "user packager is not allowed to update one or more packages of [x]")]
    [InlineData("""{"Packages":""", "unmarshaling update manifest: ")]
    [InlineData("""{"Packages":{"p":{"SecurityVersion":-1}}}""", "unmarshaling update manifest: ")]
    public async Task Refusals_have_MarbleRuns_words(string update, string message)
    {
        Assert.StartsWith(message, UpdateScene.Message(500, await _scene.UpdateAsync(update, _scene.Packager)), StringComparison.Ordinal);
        Assert.StartsWith(message, UpdateScene.Message(400, await _scene.Coordinator.PostAsync("/update", update, _scene.Packager)), StringComparison.Ordinal);
        Assert.Empty(_scene.Log());
    }

    [Fact]
    public async Task Settings_beside_the_packages_are_ignored_as_MarbleRun_does()
    {
        Assert.Equal(200, (await _scene.UpdateAsync("""{"Packages":{"p":{"SecurityVersion":5,"AcceptedTCBStatuses":["OutOfDate"]}},"Config":{"UpdateThreshold":1}}""", _scene.Packager)).Code);
        Assert.Empty(PackageInForce.Find(Current, "p")!.AcceptedTcbStatuses);
        Assert.Equal(2UL, Current.Manifest!.Document.Config.UpdateThreshold);
    }

    [Fact]
    public async Task V1_takes_the_bare_manifest()
    {
        (int code, JsonElement answer) = await _scene.Coordinator.PostAsync("/update", UpdateScene.Raise(9), _scene.Packager);
        Assert.Equal((200, """{"status":"success","data":null}"""), (code, answer.ToString()));
        Assert.Equal(9UL, PackageInForce.Find(Current, "p")!.SecurityVersion);
    }

    [Fact]
    public async Task Nobody_but_a_user_gets_past_the_door()
    {
        Assert.Equal(401, (await _scene.UpdateAsync("nonsense", null)).Code);
        Assert.Equal(401, (await _scene.UpdateAsync(UpdateScene.Raise(5), TestManifest.Certificate("packager"))).Code);
        Assert.Equal(401, (await _scene.Coordinator.PostAsync("/update", UpdateScene.Raise(5))).Code);
        await using TestCoordinator empty = await TestCoordinator.StartAsync(options => options with { Simulation = true });
        foreach (string path in new[] { "/api/v2/update", "/api/v2/update-manifest", "/api/v2/update-cancel", "/api/v2/secrets", "/update", "/update-manifest", "/update-cancel", "/secrets" })
        {
            (int code, JsonElement answer) = await empty.PostAsync(path, "nonsense", _scene.Packager);
            Assert.Equal((401, "unauthorized user: client certificate did not match any MarbleRun users"), (code, answer.GetProperty("message").GetString()));
            Assert.Equal(path.StartsWith("/api", StringComparison.Ordinal) ? "fail" : "error", answer.GetProperty("status").GetString());
        }
        Assert.Equal("user ann is not allowed to update one or more packages of [p]", UpdateScene.Message(500, await _scene.UpdateAsync(UpdateScene.Raise(5), _scene.Ann)));
    }

    [Fact]
    public async Task While_a_manifest_is_pending_nothing_is_raised()
    {
        Assert.Equal(200, (await _scene.UpdateAsync(_scene.Manifest().ToJsonString(), _scene.Ann)).Code);
        Assert.Equal("update already in progress. Acknowledge the update to apply it, or cancel it to start a new one",
            UpdateScene.Message(500, await _scene.UpdateAsync(UpdateScene.Raise(5), _scene.Packager)));
    }
}
