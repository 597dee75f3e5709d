using System.Collections.Immutable;
using Cloister.Agent.Tests.Rig;
using Cloister.Images;
using Cloister.Images.Channel;

namespace Cloister.Agent.Tests;

/// <summary>An agent in its own process, over a socket: what it starts, what it refuses, what it tells, how it ends.</summary>
public sealed class SupervisorTests
{
    private static ImageDefinition Image(ConsoleOutput console = ConsoleOutput.Programs, bool debug = false, string? start = null, params (string Name, EntryPoint Entry)[] entries) => new()
    {
        Name = "test",
        Console = console,
        Debug = debug,
        Start = start,
        Entries = entries.ToImmutableSortedDictionary(entry => entry.Name, entry => entry.Entry, StringComparer.Ordinal),
    };

    private static EntryPoint Shell(string script, bool arguments = false, params string[] allowed) =>
        new() { Command = ["/bin/sh", "-c", script], Arguments = arguments, AllowedEnvironment = [.. allowed] };

    [Fact]
    public async Task An_entry_runs_with_its_own_environment_and_directory_only()
    {
        EntryPoint entry = Shell("env | sort; pwd; exit 3") with { Directory = "/usr", Environment = ImmutableSortedDictionary<string, string>.Empty.Add("FIXED", "f"), AllowedEnvironment = ["GIVEN"] };
        await using TestMachine machine = await TestMachine.StartAsync(Image(entries: ("job", entry)));
        var (exit, output, _) = await machine.ExecAsync(new ExecRequest { Entry = "job", Environment = ImmutableSortedDictionary<string, string>.Empty.Add("GIVEN", "g") });
        Assert.Equal(3, exit.Code);
        Assert.Equal(["FIXED=f", "GIVEN=g"], output.Split('\n').Where(line => line.Length > 0 && line.Split('=')[0] is "FIXED" or "GIVEN" or "SECRET_OF_THE_AGENT"));
        Assert.Contains("\n/usr\n", output, StringComparison.Ordinal);
        Assert.Equal(["started", "ended"], machine.Events.Select(happened => happened.Name).Where(name => name is "started" or "ended"));
        Assert.Equal(0, (await machine.StopAsync()).Code);
    }

    [Fact]
    public async Task What_the_definition_does_not_allow_is_refused_with_a_reason()
    {
        await using TestMachine machine = await TestMachine.StartAsync(Image(entries: [("job", Shell("exit 0")), ("open", Shell("cat", arguments: true))]));
        ExecRequest[] refused =
        [
            new() { Entry = "other" },
            new() { Entry = "job", Arguments = ["x"] },
            new() { Entry = "job", Input = true },
            new() { Entry = "open", Environment = ImmutableSortedDictionary<string, string>.Empty.Add("LD_PRELOAD", "/x.so") },
            new() { Command = ["/bin/sh"] },
        ];
        foreach (ExecRequest request in refused)
        {
            ExecExit exit = (await machine.ExecAsync(request)).Exit;
            Assert.Null(exit.Code);
            Assert.NotEmpty(exit.Reason!);
        }
        Assert.Equal(refused.Length, machine.Events.Count(happened => happened.Name == GuestEventNames.Refused));
        Assert.Equal("yes", (await machine.ExecAsync(new ExecRequest { Entry = "open", Input = true }, "yes")).Output);
    }

    [Fact]
    public async Task Any_command_runs_in_a_debug_image_alone()
    {
        await using TestMachine machine = await TestMachine.StartAsync(Image(ConsoleOutput.None, debug: true, entries: ("job", Shell("exit 0"))));
        var (exit, output, error) = await machine.ExecAsync(new ExecRequest { Command = ["/bin/sh", "-c", "echo out; echo err >&2; kill -9 $$"] });
        Assert.Equal((137, "out\n", "err\n"), (exit.Code, output, error));
        Assert.Null((await machine.ExecAsync(new ExecRequest { Command = ["sh"] })).Exit.Code);
        Assert.Null((await machine.ExecAsync(new ExecRequest { Command = ["/does/not/exist"] })).Exit.Code);
    }

    [Theory]
    [InlineData(ConsoleOutput.None, false, false)]
    [InlineData(ConsoleOutput.Lifecycle, true, false)]
    [InlineData(ConsoleOutput.Programs, true, true)]
    public async Task Only_what_the_definition_allows_leaves(ConsoleOutput console, bool events, bool outputs)
    {
        await using TestMachine machine = await TestMachine.StartAsync(Image(console, start: "main", entries: [("main", Shell("echo from-main; exec sleep 1000")), ("job", Shell("echo from-job"))]));
        var (exit, output, _) = await machine.ExecAsync(new ExecRequest { Entry = "job" });
        Assert.Equal(0, exit.Code);
        Assert.Equal(outputs ? "from-job\n" : "", output);
        await machine.StopAsync();
        Assert.Equal(outputs ? "from-main\n" : "", machine.Log);
        Assert.Equal(events, machine.Events.Count > 0);
    }

    [Fact]
    public async Task The_machine_ends_with_its_own_program()
    {
        await using TestMachine machine = await TestMachine.StartAsync(Image(start: "main", entries: [("main", Shell("echo $0 $VALUE; exit 7", arguments: true, "VALUE"))]),
            new MachineSettings { Arguments = ["argument"], Environment = ImmutableSortedDictionary<string, string>.Empty.Add("VALUE", "value") });
        var (stopped, code) = await machine.EndAsync();
        Assert.Equal((7, null, 0), (stopped.Code, stopped.Reason, code));
        Assert.Equal("argument value\n", machine.Log);
    }

    [Fact]
    public async Task Settings_that_the_definition_does_not_allow_end_the_machine()
    {
        await using TestMachine machine = await TestMachine.StartAsync(Image(start: "main", entries: [("main", Shell("echo started"))]), new MachineSettings { Arguments = ["argument"] });
        var (stopped, code) = await machine.EndAsync();
        Assert.Equal((null, 1), (stopped.Code, code));
        Assert.Contains("arguments", stopped.Reason!, StringComparison.Ordinal);
        Assert.Empty(machine.Log);
    }

    [Fact]
    public async Task A_coordinator_that_is_no_address_ends_the_machine()
    {
        await using TestMachine machine = await TestMachine.StartAsync(Image(entries: ("job", Shell("exit 0"))), new MachineSettings { Coordinator = "coordinator.example:2001" });
        Assert.Contains("IPv4", (await machine.EndAsync()).Stopped.Reason!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stop_lets_programs_end_and_kills_what_does_not()
    {
        await using TestMachine machine = await TestMachine.StartAsync(Image(entries: [("polite", Shell("trap 'echo bye; exit 4' TERM; echo ready; while :; do sleep 0.1; done")), ("stubborn", Shell("trap '' TERM; echo ready; while :; do sleep 0.1; done"))]));
        HostExec polite = await machine.Channel.StartAsync(new ExecRequest { Entry = "polite" }, CancellationToken.None);
        HostExec stubborn = await machine.Channel.StartAsync(new ExecRequest { Entry = "stubborn" }, CancellationToken.None);
        Assert.NotNull(await polite.ReadAsync(CancellationToken.None));
        Assert.NotNull(await stubborn.ReadAsync(CancellationToken.None));
        Assert.Equal(0, (await machine.StopAsync(seconds: 5)).Code);
        Assert.Equal((4, 137), ((await polite.Exit).Code, (await stubborn.Exit).Code));
    }

    [Fact]
    public async Task Signals_reach_the_program_and_what_it_started()
    {
        await using TestMachine machine = await TestMachine.StartAsync(Image(entries: ("job", Shell("sleep 1000 & echo ready; wait"))));
        HostExec exec = await machine.Channel.StartAsync(new ExecRequest { Entry = "job" }, CancellationToken.None);
        Assert.NotNull(await exec.ReadAsync(CancellationToken.None));
        await exec.SignalAsync(15, CancellationToken.None);
        Assert.Equal(143, (await exec.Exit).Code);
        Assert.Null(await exec.ReadAsync(CancellationToken.None)); // the sleep has ended too: nobody holds the pipe
    }

    [Fact]
    public async Task A_host_that_goes_away_ends_the_machine()
    {
        await using TestMachine machine = await TestMachine.StartAsync(Image(entries: ("job", Shell("sleep 1000"))));
        await machine.Channel.StartAsync(new ExecRequest { Entry = "job" }, CancellationToken.None);
        await machine.Channel.DisposeAsync();
        await machine.WaitForExitAsync();
    }

    [Fact]
    public async Task A_program_that_attests_itself_is_given_the_tpm()
    {
        await using TestMachine machine = await TestMachine.StartAsync(Image(entries: [("own", Shell("exit 0") with { Tpm = true, User = 1234 }), ("job", Shell("exit 0"))]));
        await machine.ExecAsync(new ExecRequest { Entry = "job" });
        Assert.False(File.Exists(Path.Combine(machine.Folder, "tpm")));
        await machine.ExecAsync(new ExecRequest { Entry = "own" });
        Assert.Equal("1234", await File.ReadAllTextAsync(Path.Combine(machine.Folder, "tpm")));
    }
}
