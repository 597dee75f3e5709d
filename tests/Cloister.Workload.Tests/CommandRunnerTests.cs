using System.Diagnostics;
using Cloister.Tests.Mesh;

namespace Cloister.Workload.Tests;

/// <summary>Runs real shells: POSIX only.</summary>
public sealed class CommandRunnerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task TheProgramGetsItsFilesEnvironmentAndArguments()
    {
        using Activation activation = TestActivation.Create(
            files: new() { [_folder.At("config", "token")] = TestActivation.Utf8("t0ken") },
            environment: new() { ["GREETING"] = TestActivation.Utf8("grüße dich"), ["OUT"] = TestActivation.Utf8(_folder.At("out")) });
        int code = await RunAsync(activation, $"cat {_folder.At("config", "token")} > $OUT; printf '|%s|%s|' \"$GREETING\" \"$1\" >> $OUT; printf %s \"$MARBLE_PREDEFINED_PRIVATE_KEY\" | head -1 >> $OUT", "argument one");
        Assert.Equal(0, code);
        Assert.Equal("t0ken|grüße dich|argument one|-----BEGIN PRIVATE KEY-----\n", File.ReadAllText(_folder.At("out")));
    }

    [Fact]
    public async Task PredefinedCertificatesArePemAsMarbleRunsAre()
    {
        using Activation activation = TestActivation.Create(environment: new() { ["OUT"] = TestActivation.Utf8(_folder.At("out")), ["MARBLE_PREDEFINED_ROOT_CA"] = "forged"u8.ToArray() });
        await RunAsync(activation, "printf %s \"$MARBLE_PREDEFINED_ROOT_CA$MARBLE_PREDEFINED_COORDINATOR_ROOT_CA$MARBLE_PREDEFINED_MARBLE_CERTIFICATE_CHAIN\" > $OUT");
        Assert.Equal(
            activation.MarbleRoot.ExportCertificatePem() + "\n" + activation.CoordinatorRoot.ExportCertificatePem() + "\n"
            + activation.Identity.Current.Leaf.ExportCertificatePem() + "\n" + activation.Identity.Current.Intermediate.ExportCertificatePem(),
            File.ReadAllText(_folder.At("out")).TrimEnd('\n'));
    }

    [Fact]
    public void TheHostsEnvironmentStaysOutside()
    {
        using Activation activation = TestActivation.Create(environment: new() { ["LANG"] = "C"u8.ToArray() });
        var host = new Dictionary<string, string> { ["PATH"] = "/bin", ["LANG"] = "de_DE", ["LD_PRELOAD"] = "/evil.so", ["DOTNET_STARTUP_HOOKS"] = "/evil.dll", ["SECRET"] = "s" };
        Dictionary<string, string> environment = CommandEnvironment.Build(activation, host.GetValueOrDefault);
        Assert.Equal("/bin", environment["PATH"]);
        Assert.Equal("C", environment["LANG"]);
        Assert.DoesNotContain("LD_PRELOAD", environment.Keys);
        Assert.DoesNotContain("DOTNET_STARTUP_HOOKS", environment.Keys);
        Assert.DoesNotContain("SECRET", environment.Keys);
    }

    [Fact]
    public async Task TheManifestsArgumentsReplaceTheCommandLines()
    {
        using Activation activation = TestActivation.Create(arguments: ["any-name", "-c", $"printf %s \"$0\" > {_folder.At("out")}; exit 3", "zeroth"]);
        Assert.Equal(3, await CommandRunner.RunAsync(activation, "/bin/sh", ["-c", "exit 9"]));
        Assert.Equal("zeroth", File.ReadAllText(_folder.At("out")));
    }

    [Fact]
    public async Task ExitCodesPass()
    {
        using Activation activation = TestActivation.Create();
        Assert.Equal(0, await RunAsync(activation, "exit 0"));
        Assert.Equal(42, await RunAsync(activation, "exit 42"));
        Assert.Equal(128 + 9, await RunAsync(activation, "kill -KILL $$"));
    }

    [Fact]
    public async Task SignalsPassToTheProgram()
    {
        // The shell asks its parent, the runner in a process of its own, to end: the runner lives, and the shell gets the signal.
        var start = new ProcessStartInfo(WorkloadProgram.Path, [WorkloadProgram.BareCommand, "/bin/sh", "-c", "trap 'kill $!; exit 7' TERM; kill -TERM $PPID; sleep 60 & wait"]);
        start.Environment["DOTNET_ROOT"] = Path.GetDirectoryName(Environment.ProcessPath);
        using Process runner = Process.Start(start)!;
        await runner.WaitForExitAsync();
        Assert.Equal(7, runner.ExitCode);
    }

    [Fact]
    public async Task CancellationAsksTheProgramToEnd()
    {
        using Activation activation = TestActivation.Create(environment: new() { ["PIPE"] = TestActivation.Utf8(_folder.At("ready")) });
        using var cancel = new CancellationTokenSource();
        using var watcher = new FileSystemWatcher(_folder.Path) { EnableRaisingEvents = true };
        watcher.Created += (_, _) => cancel.Cancel();
        int code = await CommandRunner.RunAsync(activation, "/bin/sh", ["-c", "trap 'kill $!; exit 5' TERM; sleep 60 & : > $PIPE; wait"], cancellation: cancel.Token);
        Assert.Equal(5, code);
    }

    [Theory]
    [InlineData(new byte[] { 0x61, 0x00 })]
    [InlineData(new byte[] { 0x61, 0xff })]
    public void AValueThatNoEnvironmentTakesIsRefusedWithoutShowingIt(byte[] value)
    {
        using Activation activation = TestActivation.Create(environment: new() { ["KEY"] = value });
        var e = Assert.Throws<WorkloadException>(() => CommandEnvironment.Build(activation, _ => null));
        Assert.Equal(WorkloadError.ParameterText, e.Error);
        Assert.Contains("KEY", e.Message, StringComparison.Ordinal);
        Assert.Null(e.InnerException);
    }

    [Theory]
    [InlineData("")]
    [InlineData("A=B")]
    public void ANameThatNoEnvironmentTakesIsRefused(string name)
    {
        using Activation activation = TestActivation.Create(environment: new() { [name] = "x"u8.ToArray() });
        Assert.Equal(WorkloadError.ParameterText, Assert.Throws<WorkloadException>(() => CommandEnvironment.Build(activation, _ => null)).Error);
    }

    [Fact]
    public async Task AProgramThatIsNotThereIsRefused()
    {
        using Activation activation = TestActivation.Create();
        var e = await Assert.ThrowsAsync<WorkloadException>(() => CommandRunner.RunAsync(activation, _folder.At("absent"), []));
        Assert.Equal(WorkloadError.CommandStart, e.Error);
    }

    private static Task<int> RunAsync(Activation activation, string script, params string[] arguments) =>
        CommandRunner.RunAsync(activation, "/bin/sh", ["-c", script, "sh", .. arguments]);
}
