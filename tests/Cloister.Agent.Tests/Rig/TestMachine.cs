using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Cloister.Images;
using Cloister.Images.Channel;

namespace Cloister.Agent.Tests.Rig;

/// <summary>An agent in a process of its own, and the host's side of its channel. Launchers are env(1): it executes its arguments, as a launcher does.</summary>
internal sealed class TestMachine : IMachineListener, IAsyncDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cloister-agent-");
    private readonly ConcurrentQueue<GuestEvent> _events = new();
    private readonly MemoryStream _output = new();
    private readonly CancellationTokenSource _limit = new(s_limit);
    private Process? _process;
    private Task _listening = Task.CompletedTask;

    private TestMachine()
    {
    }

    /// <summary>The agent's folder.</summary>
    public string Folder => _folder.FullName;

    /// <summary>The host's side.</summary>
    public HostChannel Channel { get; private set; } = null!;

    /// <summary>What it told.</summary>
    public IReadOnlyCollection<GuestEvent> Events => _events;

    /// <summary>What its own program wrote.</summary>
    public string Log
    {
        get
        {
            lock (_output) return Encoding.UTF8.GetString(_output.ToArray());
        }
    }

    /// <summary>Starts an agent with a definition and, if wanted, settings.</summary>
    public static async Task<TestMachine> StartAsync(ImageDefinition definition, MachineSettings? settings = null)
    {
        var machine = new TestMachine();
        byte[] json = ImageDefinitionJson.Write(definition);
        ImageDefinitionReader.Read(json); // a test's own mistake is seen here
        await File.WriteAllBytesAsync(Path.Combine(machine.Folder, "image.json"), json);
        Directory.CreateDirectory(Path.Combine(machine.Folder, "run"));
        string launchers = Directory.CreateDirectory(Path.Combine(machine.Folder, "launch")).FullName;
        foreach (string entry in definition.Entries.Keys)
            File.CreateSymbolicLink(Path.Combine(launchers, entry), "/usr/bin/env");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(machine.Folder, "channel")));
        listener.Listen(1);
        machine._process = Process.Start(new ProcessStartInfo(AgentProgram.Path, [machine.Folder]) { Environment = { ["SECRET_OF_THE_AGENT"] = "1" } })!;
        Socket connection = await listener.AcceptAsync(machine._limit.Token);
        machine.Channel = new HostChannel(new NetworkStream(connection, ownsSocket: true), machine);
        machine._listening = machine.Channel.RunAsync(machine._limit.Token);
        await machine.Channel.Ready.WaitAsync(machine._limit.Token);
        await machine.Channel.SendSettingsAsync(settings ?? new MachineSettings(), machine._limit.Token);
        return machine;
    }

    /// <summary>Runs a program to its end.</summary>
    public async Task<(ExecExit Exit, string Output, string Error)> ExecAsync(ExecRequest request, string? input = null)
    {
        HostExec exec = await Channel.StartAsync(request, _limit.Token);
        if (input is not null)
        {
            await exec.WriteInputAsync(Encoding.UTF8.GetBytes(input), _limit.Token);
            await exec.EndInputAsync(_limit.Token);
        }
        using MemoryStream output = new(), error = new();
        while (await exec.ReadAsync(_limit.Token) is var (from, bytes))
            (from == ProgramStream.Output ? output : error).Write(bytes.Span);
        return (await exec.Exit, Encoding.UTF8.GetString(output.ToArray()), Encoding.UTF8.GetString(error.ToArray()));
    }

    /// <summary>Waits for the machine's end; answers its last words and the agent's exit code.</summary>
    public async Task<(MachineStopped Stopped, int Code)> EndAsync()
    {
        MachineStopped stopped = await Channel.Stopped.WaitAsync(_limit.Token);
        await _process!.WaitForExitAsync(_limit.Token);
        return (stopped, _process.ExitCode);
    }

    /// <summary>Waits for the agent's end.</summary>
    public Task WaitForExitAsync() => _process!.WaitForExitAsync(_limit.Token);

    /// <summary>Asks it to end, and waits.</summary>
    public async Task<(MachineStopped Stopped, int Code)> StopAsync(int seconds = 60)
    {
        await Channel.SendStopAsync(new MachineStop(seconds), _limit.Token);
        return await EndAsync();
    }

    public void Happened(GuestEvent happened) => _events.Enqueue(happened);

    public void Wrote(ProgramStream from, ReadOnlyMemory<byte> bytes)
    {
        lock (_output) _output.Write(bytes.Span);
    }

    public async ValueTask DisposeAsync()
    {
        if (Channel is not null) await Channel.DisposeAsync();
        if (_process is { HasExited: false })
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
        await _listening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _process?.Dispose();
        _limit.Dispose();
        _output.Dispose();
        _folder.Delete(recursive: true);
    }
}
