using System.Diagnostics;
using System.Net.Sockets;
using Cloister.Attestation;
using Cloister.Attestation.Simulation;
using Cloister.Platform;
using Cloister.Platform.Simulation;

namespace Cloister.Tests;

/// <summary>Real processes ask a real simulator.</summary>
public sealed class PeerTests : IAsyncLifetime, IDisposable
{
    private readonly PeerProgram _peer = new();
    private RunningSimulator _simulator = null!;

    public async Task InitializeAsync() => _simulator = await RunningSimulator.StartAsync();

    public async Task DisposeAsync() => await _simulator.DisposeAsync();

    public void Dispose() => _peer.Dispose();

    [Fact]
    public async Task A_program_is_measured_by_its_folder()
    {
        EvidenceSet evidence = await _peer.AskAsync(_simulator.SocketPath);
        Claims claims = Appraise(evidence, Of(_peer.Folder)).RequireAccepted();
        Assert.Equal(_peer.Executable, claims.Fields[SimulationFields.Executable]);
        Assert.Equal("from the peer"u8, evidence.Primary.RuntimeData.Span);
        Assert.Contains(_simulator.Lines, line => line.StartsWith("1001", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_changed_byte_in_its_folder_is_refused()
    {
        string wanted = Of(_peer.Folder);
        await using (FileStream file = File.Open(Path.Combine(_peer.Folder, "Cloister.Sealing.dll"), FileMode.Open))
        {
            file.Position = file.Length - 1;
            int last = file.ReadByte();
            file.Position = file.Length - 1;
            file.WriteByte((byte)(last ^ 1));
        }
        EvidenceSet evidence = await _peer.AskAsync(_simulator.SocketPath);
        Assert.Equal(Refusal.MeasurementNotAccepted, Appraise(evidence, wanted).Refused!.Refusal);
        Appraise(evidence, Of(_peer.Folder)).RequireAccepted();
    }

    [Fact]
    public async Task An_added_file_is_refused()
    {
        string wanted = Of(_peer.Folder);
        await File.WriteAllTextAsync(Path.Combine(_peer.Folder, "plugin.dll"), "");
        Assert.Equal(Refusal.MeasurementNotAccepted, Appraise(await _peer.AskAsync(_simulator.SocketPath), wanted).Refused!.Refusal);
    }

    [Fact]
    public async Task A_workloads_command_is_measured_too()
    {
        string shell = CommandLocator.Find("sh", "/", "/bin");
        string wanted = Convert.ToHexStringLower(SimulationMeasurement.OfCommand(_peer.Folder, shell, ["-c", "true"]));
        Appraise(await _peer.AskAsync(_simulator.SocketPath, "workload", "--json", "run", "--", "/bin/sh", "-c", "true"), wanted).RequireAccepted();
        Appraise(await _peer.AskAsync(_simulator.SocketPath, "workload", "run", "--", "sh", "-c", "true"), wanted).RequireAccepted();
        Assert.Equal(Refusal.MeasurementNotAccepted, Appraise(await _peer.AskAsync(_simulator.SocketPath, "workload", "run", "--", "sh", "-c", "false"), wanted).Refused!.Refusal);
        Assert.Equal(Refusal.MeasurementNotAccepted, Appraise(await _peer.AskAsync(_simulator.SocketPath), wanted).Refused!.Refusal);
    }

    [Fact]
    public async Task Arguments_of_other_verbs_are_not_measured() =>
        Appraise(await _peer.AskAsync(_simulator.SocketPath, "serve", "--port", "1", "--", "x"), Of(_peer.Folder)).RequireAccepted();

    [Theory]
    [InlineData("workload", "run", "sh")]
    [InlineData("workload", "run", "--")]
    [InlineData("@arguments", "--", "sh")]
    [InlineData("workload", "@arguments", "x")]
    [InlineData("workload", "run", "--", "no-such-command")]
    public async Task A_command_line_that_hides_its_command_is_refused(params string[] arguments) =>
        Assert.StartsWith("SimulatorRefused", await _peer.RunAsync(_simulator.SocketPath, arguments), StringComparison.Ordinal);

    [Theory]
    [InlineData("LD_PRELOAD", "/nowhere.so")]
    [InlineData("CORECLR_ENABLE_PROFILING", "1")]
    public async Task A_program_that_loads_other_code_is_refused(string name, string value)
    {
        string answer = await _peer.RunAsync(_simulator.SocketPath, null, (name, value));
        Assert.StartsWith("SimulatorRefused", answer, StringComparison.Ordinal);
        Assert.Contains(name, answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_with_a_link_is_refused_with_its_name()
    {
        File.CreateSymbolicLink(Path.Combine(_peer.Folder, "link"), "/etc/hostname");
        string answer = await _peer.RunAsync(_simulator.SocketPath);
        Assert.StartsWith("SimulatorRefused", answer, StringComparison.Ordinal);
        Assert.Contains("/link", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_inside_the_shared_host_is_refused()
    {
        if (Path.GetFileName(Environment.ProcessPath) != "dotnet") return; // a test host of its own is an ordinary program
        var refused = await Assert.ThrowsAsync<PlatformException>(async () => await new SimulatorIssuer(_simulator.SocketPath).IssueAsync(PeerProgram.Binding, default, default));
        Assert.Equal(PlatformError.SimulatorRefused, refused.Error);
        Assert.Contains("dotnet", refused.Message, StringComparison.Ordinal);
        Assert.Contains(_simulator.Lines, line => line.StartsWith("1002", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Many_programs_at_once_each_get_their_own()
    {
        EvidenceSet[] all = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => _peer.AskAsync(_simulator.SocketPath)));
        Assert.All(all, evidence => Appraise(evidence, Of(_peer.Folder)).RequireAccepted());
    }

    [Fact]
    public async Task A_process_that_has_ended_is_not_looked_at()
    {
        using var folder = new TemporaryFolder();
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(folder["s"]));
        listener.Listen();
        using Process process = _peer.Start(folder["s"], null, ("PEER_LEAVES", "1"));
        using Socket accepted = await listener.AcceptAsync();
        await process.WaitForExitAsync();
        var refused = Assert.Throws<PlatformException>(() =>
        {
            using var peer = PeerProcess.Of(accepted);
            peer.Read();
        });
        Assert.Contains(refused.Error, new[] { PlatformError.PeerChanged, PlatformError.PeerNotMeasurable });
    }

    [Fact]
    public void A_process_with_another_start_time_program_or_command_line_is_another()
    {
        var one = new PeerSnapshot(1, "/a", "", "/", ["a", "b"], ["X=1", "PATH=/bin"]);
        Assert.True(one.IsSame(one with { Environment = [], CommandLine = ["a", "b"] }));
        Assert.False(one.IsSame(one with { StartTime = 2 }));
        Assert.False(one.IsSame(one with { Executable = "/b" }));
        Assert.False(one.IsSame(one with { CommandLine = ["a"] }));
        Assert.Equal("/bin", one.Variable("PATH"));
        Assert.Null(one.Variable("PAT"));
    }

    private AttestationResult Appraise(EvidenceSet evidence, string digest) => VerifierRegistry.CreateDefault().Appraise(
        evidence, PeerProgram.Binding, new SimulationPolicy(Requirement.Exactly(digest), [_simulator.HostKey]), VerificationTime.NoTimeCheck);

    private static string Of(string folder) => Convert.ToHexStringLower(SimulationMeasurement.OfFolder(folder));
}
