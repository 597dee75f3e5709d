using System.Collections.Immutable;
using System.Security.Cryptography;
using Cloister.Images;
using Cloister.Images.Channel;

namespace Cloister.Tests;

public sealed class ChannelTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    [Fact]
    public async Task A_machine_and_its_host_meet()
    {
        await using var pair = new ChannelPair();
        await pair.Host.SendSettingsAsync(new MachineSettings { Coordinator = "10.0.2.2:2001", Arguments = ["a b"], Environment = ImmutableSortedDictionary<string, string>.Empty.Add("NAME", "x") }, Never);
        await pair.Guest.SendReadyAsync(new GuestReady(1, "date", ["date"], false), Never);
        Assert.Equal("date", (await pair.Host.Ready).Image);
        MachineSettings settings = await pair.Guest.Settings;
        Assert.Equal(("10.0.2.2:2001", "a b", "x"), (settings.Coordinator, settings.Arguments[0], settings.Environment["NAME"]));
        await pair.Guest.SendEventAsync(new GuestEvent(GuestEventNames.Started, "date \u001b[31mstarted\a"), Never);
        await pair.Guest.SendLogAsync(ProgramStream.Error, "oops"u8.ToArray(), Never);
        await pair.Host.SendStopAsync(new MachineStop(10), Never);
        Assert.Equal(10, (await pair.Guest.StopRequested).Seconds);
        await pair.Guest.SendStoppedAsync(new MachineStopped(3, "stopped"), Never);
        Assert.Equal(3, (await pair.Host.Stopped).Code);
        Assert.Equal(["started: date  [31mstarted ", "Error: oops"], pair.Heard);
    }

    [Fact]
    public async Task A_program_reads_writes_and_ends()
    {
        await using var pair = await ChannelPair.ReadyAsync();
        HostExec asked = await pair.Host.StartAsync(new ExecRequest { Entry = "cat", Input = true }, Never);
        GuestExec program = await pair.Guest.Execs.ReadAsync();
        Assert.Equal("cat", program.Request.Entry);
        byte[] sent = RandomNumberGenerator.GetBytes(3_000_001);
        Task<int> inside = EchoAsync(program);
        Task writing = WriteAllAsync(asked, sent);
        Assert.Equal(sent, await ReadAllAsync(asked, ProgramStream.Output));
        await writing;
        Assert.Equal(7, (await asked.Exit).Code);
        await inside;
        await asked.WriteInputAsync(sent, Never); // nobody reads it any more
    }

    [Fact]
    public async Task A_program_whose_output_nobody_reads_stops_no_other()
    {
        await using var pair = await ChannelPair.ReadyAsync();
        HostExec first = await pair.Host.StartAsync(new ExecRequest { Entry = "flood" }, Never);
        GuestExec flooding = await pair.Guest.Execs.ReadAsync();
        Task flood = flooding.WriteAsync(ProgramStream.Output, new byte[2_000_000], Never);
        HostExec second = await pair.Host.StartAsync(new ExecRequest { Entry = "other" }, Never);
        GuestExec other = await pair.Guest.Execs.ReadAsync();
        await other.WriteAsync(ProgramStream.Error, "still here"u8.ToArray(), Never);
        await other.ExitAsync(new ExecExit(0), Never);
        Assert.Equal("still here"u8.ToArray(), await ReadAllAsync(second, ProgramStream.Error));
        Assert.False(flood.IsCompleted);
        Task<byte[]> reading = ReadAllAsync(first, ProgramStream.Output);
        await flood;
        await flooding.ExitAsync(new ExecExit(0), Never);
        Assert.Equal(2_000_000, (await reading).Length);
    }

    [Fact]
    public async Task Signals_reach_the_program_and_the_end_of_the_host_kills_it()
    {
        await using var pair = await ChannelPair.ReadyAsync();
        HostExec asked = await pair.Host.StartAsync(new ExecRequest { Entry = "wait" }, Never);
        GuestExec program = await pair.Guest.Execs.ReadAsync();
        await asked.SignalAsync(15, Never);
        Assert.Equal(15, await program.Signals.ReadAsync());
        await pair.Host.DisposeAsync();
        Assert.Equal(9, await program.Signals.ReadAsync());
        ImageException gone = await Assert.ThrowsAsync<ImageException>(() => asked.Exit);
        Assert.Equal(ImageError.MachineEnded, gone.Error);
    }

    [Fact]
    public async Task More_programs_than_the_machine_takes_are_not_asked_for()
    {
        await using var pair = await ChannelPair.ReadyAsync();
        HostExec first = await pair.Host.StartAsync(new ExecRequest { Entry = "one" }, Never);
        for (int i = 1; i < GuestChannel.MaximumExecs; i++)
            await pair.Host.StartAsync(new ExecRequest { Entry = "one" }, Never);
        ImageException refused = await Assert.ThrowsAsync<ImageException>(() => pair.Host.StartAsync(new ExecRequest { Entry = "one" }, Never));
        Assert.Equal(ImageError.ExecRefused, refused.Error);
        GuestExec ended = await pair.Guest.Execs.ReadAsync();
        await ended.ExitAsync(new ExecExit(null, "not allowed"), Never);
        Assert.Equal("not allowed", (await first.Exit).Reason);
        await pair.Host.StartAsync(new ExecRequest { Entry = "one" }, Never);
    }

    private static async Task<int> EchoAsync(GuestExec program)
    {
        int total = 0;
        while (await program.ReadInputAsync(Never) is { } chunk)
        {
            await program.WriteAsync(ProgramStream.Output, chunk, Never);
            total += chunk.Length;
        }
        await program.ExitAsync(new ExecExit(7), Never);
        return total;
    }

    private static async Task WriteAllAsync(HostExec asked, byte[] bytes)
    {
        await asked.WriteInputAsync(bytes, Never);
        await asked.EndInputAsync(Never);
    }

    private static async Task<byte[]> ReadAllAsync(HostExec asked, ProgramStream expected)
    {
        var all = new MemoryStream();
        while (await asked.ReadAsync(Never) is var (from, bytes))
        {
            Assert.Equal(expected, from);
            all.Write(bytes.Span);
        }
        return all.ToArray();
    }
}
