using System.Buffers.Binary;
using System.Net.Sockets;
using Cloister.Platform;
using Cloister.Platform.Simulation;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Tests;

public sealed class SimulatorTests
{
    private static readonly byte[] Question = SimulatorWire.Question(new byte[64]);

    [Fact]
    public async Task A_slow_peer_is_dropped_when_its_time_is_over()
    {
        var time = new ManualTime();
        await using RunningSimulator simulator = await RunningSimulator.StartAsync(time);
        using Socket slow = await simulator.ConnectAsync();
        await slow.SendAsync(Question.AsMemory(0, 10));
        await time.TimerSetAsync();
        time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Equal(0, slow.Available);
        time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.True(await ClosedAsync(slow));
    }

    [Fact]
    public async Task Connections_are_bounded_and_the_next_one_waits()
    {
        var time = new ManualTime();
        await using RunningSimulator simulator = await RunningSimulator.StartAsync(time, maximumConnections: 1);
        using Socket first = await simulator.ConnectAsync();
        await time.TimerSetAsync();
        using Socket second = await simulator.ConnectAsync();
        await second.SendAsync(Question);
        Task<int> answer = second.ReceiveAsync(new byte[1]);
        Assert.False(answer.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(6)); // the first is dropped
        Assert.Equal(1, await answer);
    }

    [Theory]
    [InlineData("another version")]
    [InlineData("another command")]
    [InlineData("short")]
    [InlineData("empty")]
    public async Task What_is_not_a_question_is_refused(string what)
    {
        await using RunningSimulator simulator = await RunningSimulator.StartAsync();
        using Socket peer = await simulator.ConnectAsync();
        byte[] question = [.. Question];
        switch (what)
        {
            case "another version": question[4] = 2; break;
            case "another command": question[6] = 1; break;
            case "short": question = [67, .. question[1..^1]]; break;
            case "empty": question = new byte[4]; break;
            default: throw new ArgumentOutOfRangeException(nameof(what));
        }
        await peer.SendAsync(question);
        byte[] answer = (await SimulatorWire.ReadFrameAsync(peer, default))!;
        Assert.Equal(PlatformError.SimulatorRefused, Assert.Throws<PlatformException>(() => SimulatorWire.ReadAnswer(answer)).Error);
    }

    [Fact]
    public async Task A_frame_over_the_limit_is_not_read()
    {
        await using RunningSimulator simulator = await RunningSimulator.StartAsync();
        using Socket peer = await simulator.ConnectAsync();
        byte[] length = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(length, SimulatorWire.MaximumFrame + 1);
        await peer.SendAsync(length);
        Assert.True(await ClosedAsync(peer));
    }

    [Fact]
    public async Task A_peer_that_leaves_harms_nobody()
    {
        await using RunningSimulator simulator = await RunningSimulator.StartAsync(maximumConnections: 2);
        for (int i = 0; i < 20; i++)
            using (Socket peer = await simulator.ConnectAsync())
                await peer.SendAsync(Question.AsMemory(0, i * 3));
        using Socket last = await simulator.ConnectAsync();
        await last.SendAsync(Question);
        Assert.NotNull(await SimulatorWire.ReadFrameAsync(last, default));
    }

    [Fact]
    public async Task It_ends_with_its_socket_gone_even_while_a_peer_waits()
    {
        await using RunningSimulator simulator = await RunningSimulator.StartAsync();
        using Socket idle = await simulator.ConnectAsync();
        await simulator.StopAsync();
        Assert.False(File.Exists(simulator.SocketPath));
    }

    [Fact]
    public async Task Its_files_are_its_users_alone()
    {
        await using RunningSimulator simulator = await RunningSimulator.StartAsync();
        const UnixFileMode mine = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(mine, File.GetUnixFileMode(simulator.SocketPath));
        Assert.Equal(mine, File.GetUnixFileMode(Path.Combine(simulator.HostKeyFolder, SimulatorHostKey.FileName)));
        Assert.Equal(mine | UnixFileMode.UserExecute, File.GetUnixFileMode(simulator.HostKeyFolder));
        Assert.Contains(simulator.Lines, line => line.StartsWith("1000 SIMULATED", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_second_one_on_the_same_socket_is_refused()
    {
        await using RunningSimulator simulator = await RunningSimulator.StartAsync();
        var second = new SimulatorServer(new SimulatorOptions { SocketPath = simulator.SocketPath, HostKeyFolder = simulator.HostKeyFolder }, NullLogger.Instance);
        Assert.Equal(PlatformError.SimulatorAlreadyRunning, (await Assert.ThrowsAsync<PlatformException>(() => second.RunAsync(default))).Error);
        Assert.Equal(PlatformError.SimulatorAlreadyRunning, (await Assert.ThrowsAsync<PlatformException>(() => second.Listening)).Error);
        using Socket still = await simulator.ConnectAsync();
        Assert.True(still.Connected);
    }

    [Fact]
    public async Task An_abandoned_socket_is_replaced_and_a_file_is_not()
    {
        using var folder = new TemporaryFolder();
        using (var abandoned = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
            abandoned.Bind(new UnixDomainSocketEndPoint(folder["s"]));
        folder.Write("file", "precious");
        await RunAndStop(folder["s"], folder["key"]);
        Assert.Equal(PlatformError.SocketPathInvalid, (await Assert.ThrowsAsync<PlatformException>(() => RunAndStop(folder["file"], folder["key"]))).Error);
        Assert.Equal("precious", await File.ReadAllTextAsync(folder["file"]));
        Assert.Equal(PlatformError.SocketPathInvalid, (await Assert.ThrowsAsync<PlatformException>(() => RunAndStop("/tmp/" + new string('x', 108), folder["key"]))).Error);
    }

    [Fact]
    public async Task Its_key_stays_the_same_over_starts()
    {
        using var folder = new TemporaryFolder();
        await RunAndStop(folder["s"], folder["key"]);
        string first = await File.ReadAllTextAsync(folder["key/host-key.spki"]);
        await RunAndStop(folder["s"], folder["key"]);
        Assert.Equal(first, await File.ReadAllTextAsync(folder["key/host-key.spki"]));
        using SimulatorHostKey key = SimulatorHostKey.LoadOrCreate(folder["key"]);
        Assert.Equal(first.Trim(), key.Base64);
    }

    /// <summary>Whether the other end closed; if it left bytes unread, the kernel says "reset".</summary>
    private static async Task<bool> ClosedAsync(Socket socket)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[1]) == 0;
        }
        catch (SocketException closed)
        {
            return closed.SocketErrorCode == SocketError.ConnectionReset;
        }
    }

    private static async Task RunAndStop(string socket, string key)
    {
        using var stop = new CancellationTokenSource();
        var server = new SimulatorServer(new SimulatorOptions { SocketPath = socket, HostKeyFolder = key }, NullLogger.Instance);
        Task running = server.RunAsync(stop.Token);
        await server.Listening;
        await stop.CancelAsync();
        await running;
    }
}
