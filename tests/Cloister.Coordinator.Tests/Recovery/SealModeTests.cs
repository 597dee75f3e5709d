using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cloister.Coordinator.Recovery;
using Cloister.Coordinator.State;
using Cloister.Coordinator.Stores;
using Cloister.Coordinator.Tests.Hosting;
using Cloister.Protocol.Manifest;
using Cloister.Protocol.Rest;

namespace Cloister.Coordinator.Tests.Recovery;

/// <summary>What a manifest's seal mode means on a machine whose sealer is the host's key.</summary>
public sealed class SealModeTests
{
    [Theory, InlineData("", false), InlineData("ProductKey", false), InlineData("ProductKey", true), InlineData("UniqueKey", true)]
    public async Task The_state_is_sealed_by_the_platform(string mode, bool simulation)
    {
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync(options => options with { Simulation = simulation });
        Assert.Equal(200, (await SetAsync(coordinator, mode)).Code);
        await coordinator.RestartAsync();
        Assert.Equal(CoordinatorState.AcceptingMarbles, coordinator.Host.State.Current.State);
    }

    [Fact]
    public async Task A_key_of_this_very_program_cannot_be_had_of_the_host()
    {
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync();
        (int code, JsonElement answer) = await SetAsync(coordinator, "UniqueKey");
        Assert.Equal((400, "ManifestNotSupported"), (code, answer.GetProperty("code").GetString()));
        Assert.Contains("ProductKey", answer.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Disabled_keeps_nothing_on_the_disk()
    {
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync();
        string root = coordinator.Host.State.Current.Authority.Root.Thumbprint;
        Assert.Equal(200, (await SetAsync(coordinator, "Disabled")).Code);
        Assert.Equal(root, coordinator.Host.State.Current.Authority.Root.Thumbprint);
        string path = Path.Combine(coordinator.SealFolder, SealFolder.DataName);
        byte[] empty = await File.ReadAllBytesAsync(path);
        Assert.Equal(["index"], StateFile.Decode(empty).Records.Keys);

        for (int i = 0; i < 2; i++)
        {
            using var workload = new TestWorkload(coordinator, "once");
            await workload.ActivateAsync();
        }
        using var third = new TestWorkload(coordinator, "once");
        Assert.Equal(Protocol.Grpc.GrpcStatus.PermissionDenied, (await third.RefusedAsync()).Status);
        Assert.Equal(empty, await File.ReadAllBytesAsync(path));

        await coordinator.RestartAsync();
        Assert.Equal(CoordinatorState.AcceptingManifest, coordinator.Host.State.Current.State);
        Assert.NotEqual(root, coordinator.Host.State.Current.Authority.Root.Thumbprint);
        Assert.Equal(200, (await SetAsync(coordinator, "")).Code);
        await coordinator.RestartAsync();
        Assert.Equal(CoordinatorState.AcceptingMarbles, coordinator.Host.State.Current.State);
    }

    [Fact]
    public async Task Disabled_with_recovery_keys_answers_as_marblerun_does()
    {
        using var holders = new Holders(2);
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync();
        JsonObject manifest = holders.AddTo(new TestManifest(coordinator.HostKey).Json(), threshold: 2);
        manifest["Config"]!["SealMode"] = "Disabled";
        (int code, JsonElement answer) = await coordinator.SetManifestAsync(manifest.ToJsonString());
        Assert.Equal(200, code);
        Assert.Equal(2, holders.Open(answer.GetProperty("data").GetProperty("recoverySecrets")).Length);
        await coordinator.RestartAsync();
        Assert.Equal(CoordinatorState.AcceptingManifest, coordinator.Host.State.Current.State);
    }

    [Fact]
    public void What_was_in_memory_alone_does_not_come_to_the_disk_by_an_update()
    {
        ManifestDocument disabled = Read("Disabled"), product = Read("ProductKey");
        Assert.Equal(CoordinatorError.ManifestNotSupported, Assert.Throws<CoordinatorException>(() => SealModes.RequireReachable(disabled, product)).Error);
        SealModes.RequireReachable(disabled, disabled);
        SealModes.RequireReachable(product, disabled);
    }

    [Fact]
    public async Task An_update_may_forget_what_was_on_the_disk()
    {
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync();
        await SetAsync(coordinator, "");
        CoordinatorSnapshot before = coordinator.Host.State.Current;
        ManifestInForce disabled = before.Manifest! with { Document = Read("Disabled") };
        await coordinator.Host.State.ChangeAsync(current => current with { Manifest = disabled }, default);
        Assert.Equal(["index"], StateFile.Decode(await File.ReadAllBytesAsync(Path.Combine(coordinator.SealFolder, SealFolder.DataName))).Records.Keys);
        await coordinator.Host.State.ChangeAsync(current => current with { Counters = current.Counters.Add("one", 1) }, default);
        Assert.Equal(before.Version + 2, coordinator.Host.State.Current.Version);
        await coordinator.RestartAsync();
        Assert.Equal(CoordinatorState.AcceptingManifest, coordinator.Host.State.Current.State);
    }

    private static ManifestDocument Read(string mode) => ManifestReader.Read(Encoding.UTF8.GetBytes(
        $$$"""{"Packages":{"p":{"Debug":true,"UniqueID":"aa"}},"Marbles":{"m":{"Package":"p"}},"Config":{"SealMode":"{{{mode}}}"}}"""), ManifestDialect.MarbleRun).Document;

    private static Task<(int Code, JsonElement Json)> SetAsync(TestCoordinator coordinator, string mode)
    {
        JsonObject manifest = new TestManifest(coordinator.HostKey).Json();
        manifest["Config"] = new JsonObject { ["SealMode"] = mode };
        return coordinator.SetManifestAsync(manifest.ToJsonString());
    }
}
