using Cloister.Protocol.Rest;

namespace Cloister.Coordinator.Tests.Hosting;

/// <summary>A manifest that lies beside the coordinator.</summary>
public sealed class StartupManifestTests
{
    private const string Manifest = """{"Packages":{"p":{"UniqueID":"77"}},"Marbles":{"m":{"Package":"p"}}}""";

    [Fact]
    public async Task It_is_set_at_the_start_and_a_restart_is_none()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, Manifest);
            await using TestCoordinator coordinator = await TestCoordinator.StartAsync(options => options with { StartupManifest = file });
            Assert.Equal(CoordinatorState.AcceptingMarbles, coordinator.Host.State.Current.State);
            Assert.Equal(TestManifest.Fingerprint(Manifest), coordinator.Host.State.Current.Manifest!.Fingerprint);
            long version = coordinator.Host.State.Current.Version;
            await coordinator.RestartAsync();
            Assert.Equal(version, coordinator.Host.State.Current.Version);

            File.WriteAllText(file, Manifest + " ");
            ArgumentException refused = await Assert.ThrowsAsync<ArgumentException>(coordinator.RestartAsync);
            Assert.StartsWith("Cannot set startup manifest", refused.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task One_that_is_refused_or_not_there_stops_the_start()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "{}");
            await Assert.ThrowsAsync<ArgumentException>(() => TestCoordinator.StartAsync(options => options with { StartupManifest = file }));
        }
        finally
        {
            File.Delete(file);
        }
        await Assert.ThrowsAsync<ArgumentException>(() => TestCoordinator.StartAsync(options => options with { StartupManifest = file }));
    }
}
