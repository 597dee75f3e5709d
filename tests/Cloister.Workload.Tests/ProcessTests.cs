using System.Diagnostics;
using Cloister.Attestation;
using Cloister.Platform.Simulation;
using Cloister.Protocol.Trust;
using Cloister.Tests.Mesh;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Workload.Tests;

/// <summary>
/// A workload in a process of its own, measured by a real simulator that looks at its executable's folder, where its
/// coordinator policy lies too. Linux only, as the simulator is.
/// </summary>
public sealed class ProcessTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);
    private readonly TemporaryFolder _folder = new();
    private readonly CancellationTokenSource _end = new();
    private TestMesh _mesh = null!;
    private Task _simulator = null!;
    private string _program = null!;

    public async Task InitializeAsync()
    {
        _mesh = await TestMesh.StartAsync(withManifest: false);
        _program = _folder.At("program");
        Copy(AppContext.BaseDirectory, _program);
        File.WriteAllBytes(Path.Combine(_program, CoordinatorPolicy.FileName), _mesh.Policy.ToBytes());
        var simulator = new SimulatorServer(new SimulatorOptions { SocketPath = Socket, HostKeyFolder = _folder.At("host") }, NullLogger.Instance);
        _simulator = simulator.RunAsync(_end.Token);
        await simulator.Listening;
    }

    public async Task DisposeAsync()
    {
        await _end.CancelAsync();
        await _simulator;
        await _mesh.DisposeAsync();
    }

    public void Dispose()
    {
        _end.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task AMeasuredProgramIsActivatedAndAChangedOneIsNot()
    {
        await SetManifestAsync(SimulationMeasurement.OfFolder(_program));
        var (code, output) = await RunAsync();
        Assert.True(code == 0 && output.StartsWith("activated ", StringComparison.Ordinal), output);

        string library = Path.Combine(_program, "Cloister.Workload.xml");
        File.AppendAllText(library, " ");
        (code, output) = await RunAsync();
        Assert.Equal(70, code);
        Assert.StartsWith($"refused {nameof(WorkloadError.ActivationRefused)}", output, StringComparison.Ordinal);
        Assert.Contains(nameof(Refusal.MeasurementNotAccepted), output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task APolicyThatTheOperatorPutsInPlaceChangesTheMeasurement()
    {
        await SetManifestAsync(SimulationMeasurement.OfFolder(_program));
        CoordinatorPolicy lax = _mesh.Policy with { Owners = OwnerRequirement.AnyOwner };
        File.WriteAllBytes(Path.Combine(_program, CoordinatorPolicy.FileName), lax.ToBytes());
        var (code, output) = await RunAsync();
        Assert.Equal(70, code);
        Assert.Contains(nameof(Refusal.MeasurementNotAccepted), output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACommandIsMeasuredWithItsArgumentsAndRunWithItsParameters()
    {
        string[] command = ["/bin/sh", "-c", "printf '%s %s' \"$GREETING\" \"$KEY_HEX\" | tr 'A-F' 'a-f'"];
        await SetManifestAsync(SimulationMeasurement.OfCommand(_program, command[0], command[1..]));
        await _mesh.SetModelKeyAsync();
        var (code, output) = await RunAsync(["workload", "run", "--", .. command]);
        Assert.Equal(0, code);
        Assert.EndsWith($"hello {Convert.ToHexStringLower(TestMesh.ModelKey)}", output, StringComparison.Ordinal);

        (code, output) = await RunAsync(["workload", "run", "--", .. command[..2], command[2] + " | tee /tmp/stolen"]);
        Assert.Equal(70, code);
        Assert.Contains(nameof(Refusal.MeasurementNotAccepted), output, StringComparison.Ordinal);
    }

    private string Socket => _folder.At("simulator.sock");

    private Task<string> SetManifestAsync(byte[] measurement)
    {
        using var hostKey = SimulatorHostKey.LoadOrCreate(_folder.At("host"));
        return _mesh.SetManifestAsync(_mesh.Manifest(new SimulationPolicy(Requirement.Exactly(Convert.ToHexStringLower(measurement)), [hostKey.SubjectPublicKeyInfo])));
    }

    private async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(_program, Path.GetFileName(WorkloadProgram.Path)), arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder.Path,
        };
        start.Environment["EDG_MARBLE_TYPE"] = arguments.Length == 0 ? TestMesh.OtherType : TestMesh.Type;
        start.Environment["EDG_MARBLE_COORDINATOR_ADDR"] = _mesh.MeshAddress;
        start.Environment["EDG_MARBLE_UUID_FILE"] = _folder.At("uuid");
        start.Environment["CLOISTER_SIMULATOR"] = Socket;
        start.Environment["DOTNET_ROOT"] = Path.GetDirectoryName(Environment.ProcessPath);
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(s_patience);
        return (process.ExitCode, (await output + await errors).Trim());
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.GetFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }
}
