namespace Cloister.Workload.Tests;

public sealed class WorkloadOptionsTests
{
    [Fact]
    public void MarbleRunsVariablesAreRead()
    {
        WorkloadOptions options = Read(new()
        {
            ["EDG_MARBLE_TYPE"] = "digits",
            ["EDG_MARBLE_COORDINATOR_ADDR"] = "coordinator.mesh:2001",
            ["EDG_MARBLE_DNS_NAMES"] = "digits, 10.0.0.1,*.example.org",
            ["EDG_MARBLE_UUID_FILE"] = "/var/lib/uuid",
            ["CLOISTER_SIMULATOR"] = "/run/simulator.sock",
        });
        Assert.Equal("digits", options.MarbleType);
        Assert.Equal(new Uri("https://coordinator.mesh:2001/"), options.CoordinatorUri());
        Assert.Equal(["digits", "10.0.0.1", "*.example.org"], options.DnsNames);
        Assert.Equal("/var/lib/uuid", options.UuidFile);
        Assert.Equal("/run/simulator.sock", options.SimulatorSocket);
        Assert.Equal(AppContext.BaseDirectory, Path.GetDirectoryName(options.CoordinatorPolicyFile) + "/");
    }

    [Fact]
    public void MarbleRunsDefaultsHold()
    {
        WorkloadOptions options = Read(new() { ["EDG_MARBLE_TYPE"] = "digits", ["EDG_MARBLE_DNS_NAMES"] = "" });
        Assert.Equal("localhost:2001", options.CoordinatorAddress);
        Assert.Equal(["localhost"], options.DnsNames);
        Assert.Equal(Path.Combine(Environment.CurrentDirectory, "uuid"), options.UuidFile);
    }

    [Theory]
    [InlineData("EDG_MARBLE_TYPE", "")]
    [InlineData("EDG_MARBLE_TYPE", " ")]
    [InlineData("EDG_MARBLE_COORDINATOR_ADDR", "localhost")]
    [InlineData("EDG_MARBLE_COORDINATOR_ADDR", ":2001")]
    [InlineData("EDG_MARBLE_COORDINATOR_ADDR", "localhost:0")]
    [InlineData("EDG_MARBLE_COORDINATOR_ADDR", "localhost:70000")]
    [InlineData("EDG_MARBLE_COORDINATOR_ADDR", "user@localhost:2001")]
    [InlineData("EDG_MARBLE_COORDINATOR_ADDR", "localhost/path:2001")]
    [InlineData("EDG_MARBLE_DNS_NAMES", ",")]
    [InlineData("EDG_MARBLE_DNS_NAMES", "a b")]
    public void WhatCannotWorkIsRefusedBeforeAnythingIsSent(string variable, string value)
    {
        var variables = new Dictionary<string, string> { ["EDG_MARBLE_TYPE"] = "digits", [variable] = value };
        Assert.Equal(WorkloadError.InvalidOptions, Assert.Throws<WorkloadException>(() => Read(variables)).Error);
    }

    private static WorkloadOptions Read(Dictionary<string, string> variables) => WorkloadOptions.FromEnvironment(variables.GetValueOrDefault);
}
