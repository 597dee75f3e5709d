using System.Net;
using System.Security.Cryptography;

namespace Cloister.Coordinator.Tests.Hosting;

public sealed class OptionsTests
{
    [Fact]
    public void MarbleRuns_and_our_variables_are_read()
    {
        using ECDsa owner = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var environment = new Dictionary<string, string>
        {
            ["EDG_COORDINATOR_CLIENT_ADDR"] = "10.0.0.1:1",
            ["EDG_COORDINATOR_MESH_ADDR"] = "[::1]:2",
            ["EDG_COORDINATOR_DNS_NAMES"] = "a, b.c",
            ["EDG_COORDINATOR_SEAL_DIR"] = "/seal",
            ["OE_SIMULATION"] = "1",
            ["CLOISTER_SIMULATOR"] = "/run/simulator.sock",
            ["CLOISTER_HOST_KEY_DIR"] = "/host",
            ["CLOISTER_OWNER_KEYS"] = Convert.ToBase64String(owner.ExportSubjectPublicKeyInfo()),
            ["CLOISTER_LEAF_LIFETIME"] = "01:30:00",
            ["EDG_COORDINATOR_PROMETHEUS_ADDR"] = ":9944",
            ["EDG_STARTUP_MANIFEST"] = "/manifest.json",
            ["CLOISTER_COLLATERAL_DIR"] = "/collateral",
            ["CLOISTER_COLLATERAL_SERVICE"] = "intel",
            // Without distribution they mean nothing, as in MarbleRun.
            ["EDG_STORE_BACKEND"] = "k8s-secret",
            ["EDG_K8S_NAMESPACE"] = "marblerun",
            ["EDG_COORDINATOR_DEV_MODE"] = "1",
            ["EDG_HTTP_ERROR_LOG_LEVEL"] = "debug",
            ["EDG_DISTRIBUTED_COORDINATOR"] = "0",
        };
        CoordinatorOptions options = CoordinatorOptions.FromEnvironment(environment.GetValueOrDefault);
        Assert.Equal(("10.0.0.1:1", "[::1]:2", "/seal", "/host", true, "/run/simulator.sock"),
            (options.ClientAddress, options.MeshAddress, options.SealFolder, options.HostKeyFolder, options.Simulation, options.SimulatorSocket));
        Assert.Equal(["a", "b.c"], options.DnsNames.ToArray());
        Assert.Equal(owner.ExportSubjectPublicKeyInfo(), options.OwnerKeys.Single().ToArray());
        Assert.Equal(TimeSpan.FromMinutes(90), options.LeafLifetime);
        Assert.Equal((":9944", "/manifest.json", "/collateral", "intel"), (options.PrometheusAddress, options.StartupManifest, options.CollateralFolder, options.CollateralService));
    }

    [Fact]
    public void An_empty_environment_gives_marbleruns_defaults()
    {
        CoordinatorOptions options = CoordinatorOptions.FromEnvironment(_ => null);
        Assert.Equal((":4433", ":2001", false), (options.ClientAddress, options.MeshAddress, options.Simulation));
        Assert.Equal(["localhost"], options.DnsNames.ToArray());
    }

    [Theory]
    [InlineData("CLOISTER_OWNER_KEYS", "not base64!"), InlineData("CLOISTER_OWNER_KEYS", "AAAA"), InlineData("CLOISTER_LEAF_LIFETIME", "soon")]
    [InlineData("CLOISTER_LEAF_LIFETIME", "00:00:01"), InlineData("EDG_COORDINATOR_CLIENT_ADDR", "somewhere"), InlineData("EDG_COORDINATOR_MESH_ADDR", "a.b:99999")]
    [InlineData("EDG_DISTRIBUTED_COORDINATOR", "1"), InlineData("EDG_ENTERPRISE_LICENSED_FEATURES", "a,DistributedCoordinator")]
    [InlineData("EDG_COORDINATOR_PROMETHEUS_ADDR", "nowhere"), InlineData("CLOISTER_COLLATERAL_SERVICE", "intel")]
    [InlineData("CLOISTER_HOST_KEY_DIR", "marblerun-coordinator-data/key")]
    public void A_value_that_makes_no_sense_is_refused(string name, string value) =>
        Assert.Throws<ArgumentException>(() => CoordinatorOptions.FromEnvironment(asked => asked == name ? value : null));

    [Fact]
    public void Addresses_are_read_as_go_writes_them()
    {
        Assert.Equal(4433, ListenAddress.Parse(":4433", "x").Port);
        Assert.Equal(IPAddress.Loopback, ListenAddress.Parse("localhost:0", "x").Address);
        Assert.Equal(new IPEndPoint(IPAddress.IPv6Loopback, 7), ListenAddress.Parse("[::1]:7", "x"));
    }
}
