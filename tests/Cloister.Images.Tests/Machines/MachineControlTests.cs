using System.Net.Sockets;
using System.Security.Cryptography;
using Cloister.Images.Channel;
using Cloister.Images.Machines;

namespace Cloister.Tests.Machines;

/// <summary>Another process of the user at a supervisor's door: caller, supervisor and machine, each with its real channel.</summary>
public sealed class MachineControlTests : IAsyncLifetime, IDisposable
{
    private static readonly CancellationToken Never = CancellationToken.None;
    private readonly TemporaryFolder _folder = new();
    private ChannelPair _pair = null!;
    private MachineControl _control = null!;
    private MachineFolder _machine = null!;

    public async Task InitializeAsync()
    {
        _pair = await ChannelPair.ReadyAsync();
        _machine = new MachineFolder(_folder["machine"]);
        Directory.CreateDirectory(_machine.Path);
        _machine.Write(new MachineRecord
        {
            Format = 1, Image = "/image", Name = "image", State = MachineStates.Ready, Pid = Environment.ProcessId,
            PidStarted = HostProcess.StartOf(Environment.ProcessId)!.Value, HostBoot = HostProcess.Boot(), Since = DateTimeOffset.UnixEpoch,
        });
        _control = new MachineControl(new Supervised(_pair), _machine.Control);
    }

    public async Task DisposeAsync()
    {
        await _pair.DisposeAsync();
        await _control.DisposeAsync();
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Bytes_pass_through_both_ways_and_the_exit_code_comes_back()
    {
        await using RemoteMachine machine = await RemoteMachine.ConnectAsync(_machine, Never);
        HostExec asked = await machine.ExecAsync(new ExecRequest { Entry = "cat", Input = true }, Never);
        GuestExec inside = await _pair.Guest.Execs.ReadAsync();
        byte[] sent = RandomNumberGenerator.GetBytes(1_500_000);
        Task echo = EchoAsync(inside);
        Task writing = WriteAsync(asked, sent);
        var got = new MemoryStream();
        while (await asked.ReadAsync(Never) is var (_, bytes))
            got.Write(bytes.Span);
        await Task.WhenAll(echo, writing);
        Assert.Equal(sent, got.ToArray());
        Assert.Equal(42, (await asked.Exit).Code);
    }

    [Fact]
    public async Task What_the_machine_refuses_is_told_and_signals_arrive()
    {
        await using RemoteMachine machine = await RemoteMachine.ConnectAsync(_machine, Never);
        HostExec refused = await machine.ExecAsync(new ExecRequest { Entry = "shell" }, Never);
        await (await _pair.Guest.Execs.ReadAsync()).ExitAsync(new ExecExit(null, "'shell' is no entry point"), Never);
        Assert.Equal(new ExecExit(null, "'shell' is no entry point"), await refused.Exit);
        HostExec waiting = await machine.ExecAsync(new ExecRequest { Entry = "wait" }, Never);
        GuestExec inside = await _pair.Guest.Execs.ReadAsync();
        await waiting.SignalAsync(2, Never);
        Assert.Equal(2, await inside.Signals.ReadAsync());
    }

    [Fact]
    public async Task A_caller_that_leaves_takes_its_programs_with_it_and_no_other()
    {
        await using RemoteMachine stays = await RemoteMachine.ConnectAsync(_machine, Never);
        HostExec kept = await stays.ExecAsync(new ExecRequest { Entry = "kept" }, Never);
        GuestExec keptInside = await _pair.Guest.Execs.ReadAsync();
        RemoteMachine leaves = await RemoteMachine.ConnectAsync(_machine, Never);
        await leaves.ExecAsync(new ExecRequest { Entry = "left" }, Never);
        GuestExec leftInside = await _pair.Guest.Execs.ReadAsync();
        await leaves.DisposeAsync();
        Assert.Equal(9, await leftInside.Signals.ReadAsync());
        await leftInside.ExitAsync(new ExecExit(137), Never);
        await keptInside.ExitAsync(new ExecExit(0), Never);
        Assert.Equal(0, (await kept.Exit).Code);
    }

    [Fact]
    public async Task Whoever_asks_for_the_end_hears_of_it()
    {
        await using RemoteMachine machine = await RemoteMachine.ConnectAsync(_machine, Never);
        Assert.Equal(new MachineStopped(5, "it was asked to"), await machine.StopAsync(Never));
    }

    [Fact]
    public async Task A_caller_that_does_not_speak_the_protocol_is_left_alone()
    {
        using Socket stranger = SocketPath.Connect(_machine.Control);
        await stranger.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        await EndAsync(stranger);
        await using RemoteMachine machine = await RemoteMachine.ConnectAsync(_machine, Never);
        await machine.StopAsync(Never);
    }

    private static async Task EndAsync(Socket stranger)
    {
        try
        {
            byte[] rest = new byte[4096];
            while (await stranger.ReceiveAsync(rest) > 0)
            {
            }
        }
        catch (SocketException)
        {
            return; // closed with bytes that nobody read
        }
    }

    private static async Task EchoAsync(GuestExec inside)
    {
        while (await inside.ReadInputAsync(Never) is { } chunk)
            await inside.WriteAsync(ProgramStream.Output, chunk, Never);
        await inside.ExitAsync(new ExecExit(42), Never);
    }

    private static async Task WriteAsync(HostExec asked, byte[] bytes)
    {
        await asked.WriteInputAsync(bytes, Never);
        await asked.EndInputAsync(Never);
    }

    private sealed class Supervised(ChannelPair pair) : ISupervised
    {
        public Task<GuestReady> Ready => pair.Host.Ready;

        public Task<HostExec> ExecAsync(ExecRequest request, CancellationToken cancellation) => pair.Host.StartAsync(request, cancellation);

        public Task<MachineEnd> StopAsync() => Task.FromResult(new MachineEnd(5, "it was asked to", true));
    }
}
