using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Cloister.Images;
using Cloister.Images.Machines;

namespace Cloister.Tests.Machines;

/// <summary>Real QEMU and a real TPM in which nothing but the firmware runs: what the supervisor owns, and what is left of it.</summary>
public sealed class MachineTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public MachineTests() => FirmwareImage.Write(_folder["image"]);

    public void Dispose() => _folder.Dispose();

    [SupervisedFact]
    public async Task A_machine_runs_until_it_is_stopped_and_leaves_its_TPM()
    {
        var news = new Heard();
        await using (Machine machine = await StartAsync(news))
        {
            Assert.Equal(MachineStates.Firmware, machine.Record.State);
            Assert.Equal(File.ReadAllText(_folder["authority/root.pem"]), File.ReadAllText(machine.Record.TpmRoot!));
            RecordedPort port = Assert.Single(machine.Record.Ports);
            using (var caller = new TcpClient())
                await caller.ConnectAsync(IPAddress.Loopback, port.Host); // QEMU listens before anybody inside does
            Assert.Equal(ImageError.MachineRunning, (await Assert.ThrowsAsync<ImageException>(() => StartAsync(null))).Error);
            var folder = new MachineFolder(_folder["machine"]);
            await using RemoteMachine remote = await RemoteMachine.ConnectAsync(folder, default);
            Assert.Contains("before it was ready", (await remote.StopAsync(default)).Reason!, StringComparison.Ordinal);
            Assert.Equal(MachineStates.Ended, folder.Read().State);
            Assert.True((await machine.Ended).Orderly);
            Assert.Equal(ImageError.MachineEnded, (await Assert.ThrowsAsync<ImageException>(() => machine.Ready)).Error);
        }
        AssertNothingIsLeft();
        Assert.Equal([MachineStates.Preparing, MachineStates.Firmware, MachineStates.Stopping, MachineStates.Ended], news.States);
        byte[] tpm = File.ReadAllBytes(_folder["machine/tpm/root.pem"]);
        await using (Machine again = await StartAsync(null))
            Assert.Equal(MachineStates.Firmware, again.Record.State);
        Assert.Equal(tpm, File.ReadAllBytes(_folder["machine/tpm/root.pem"]));
        AssertNothingIsLeft();
        await TpmAuthority.OpenAsync(_folder["other"], TimeProvider.System, default);
        ImageException other = await Assert.ThrowsAsync<ImageException>(() => Machine.StartAsync(Options() with { Authority = _folder["other"] }, null, TimeProvider.System, default));
        Assert.Equal(ImageError.MachineOptionInvalid, other.Error);
    }

    [SupervisedFact]
    public async Task A_machine_whose_QEMU_does_not_start_says_why_and_leaves_nothing()
    {
        MachineOptions options = Options() with { TestOnly = new TestOnlyTampering { Arguments = ["-device", "no-such-device"] } };
        ImageException refused = await Assert.ThrowsAsync<ImageException>(() => Machine.StartAsync(options, null, TimeProvider.System, default));
        Assert.Equal(ImageError.MachineEnded, refused.Error);
        Assert.Contains("no-such-device", refused.Message, StringComparison.Ordinal);
        Assert.Equal(MachineStates.Ended, new MachineFolder(options.Folder).Read().State);
        AssertNothingIsLeft();
    }

    [SupervisedFact]
    public async Task QEMU_that_is_killed_takes_the_machine_and_its_TPM_with_it()
    {
        await using Machine machine = await StartAsync(null);
        using (Process qemu = Process.GetProcessById(Left().Single(one => one.Name.Contains("qemu", StringComparison.Ordinal)).Id))
            qemu.Kill();
        MachineEnd end = await machine.Ended;
        Assert.False(end.Orderly);
        Assert.Contains("137", end.Reason, StringComparison.Ordinal);
        await machine.DisposeAsync();
        AssertNothingIsLeft();
    }

    private MachineOptions Options() => new()
    {
        Image = _folder["image"],
        Folder = Path.Combine(_folder["machine"]),
        Authority = _folder["authority"],
        Accelerator = Accelerator.Tcg,
        Ports = [PortForward.Parse("0:8080")],
    };

    private Task<Machine> StartAsync(IProgress<MachineNews>? news) => Machine.StartAsync(Options(), news, TimeProvider.System, default);

    private void AssertNothingIsLeft()
    {
        Assert.Empty(Left());
        Assert.Empty(Directory.EnumerateFiles(_folder["machine"], "*.sock"));
    }

    // Processes that work in the machine's folder.
    private List<(int Id, string Name)> Left()
    {
        var left = new List<(int, string)>();
        foreach (Process process in Process.GetProcesses())
        {
            using (process)
            {
                if (process.ProcessName.StartsWith("qemu", StringComparison.Ordinal) || process.ProcessName.StartsWith("swtpm", StringComparison.Ordinal))
                {
                    if (WorksIn(process.Id) == _folder["machine"] && HostProcess.StartOf(process.Id) is not null)
                        left.Add((process.Id, process.ProcessName));
                }
            }
        }
        return left;
    }

    private static string? WorksIn(int process)
    {
        try
        {
            return Directory.ResolveLinkTarget($"/proc/{process}/cwd", false)?.FullName;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private sealed class Heard : IProgress<MachineNews>
    {
        private readonly List<string> _states = [];

        public IReadOnlyList<string> States => _states;

        public void Report(MachineNews value)
        {
            lock (_states)
                _states.Add(value.Name!);
        }
    }
}
