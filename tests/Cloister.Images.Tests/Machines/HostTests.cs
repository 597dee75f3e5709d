using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Cloister.Images;
using Cloister.Images.Machines;

namespace Cloister.Tests.Machines;

public sealed class HostTests
{
    [Fact]
    public void What_is_missing_is_named_with_the_line_that_installs_it()
    {
        using var folder = new TemporaryFolder();
        foreach (string program in new[] { "swtpm", "setpriv", "setsid", "sh" })
            folder.Write("bin/" + program, "");
        folder.Write("rom/OVMF_CODE_4M.fd", "");
        ImageException missing = Assert.Throws<ImageException>(() => HostTools.Find([folder["bin"]], [folder["rom"]]));
        Assert.Equal(ImageError.ToolMissing, missing.Error);
        Assert.Contains("qemu-system-x86_64, swtpm_setup, swtpm_localca, OVMF_VARS_4M.fd", missing.Message, StringComparison.Ordinal);
        Assert.EndsWith("apt-get install -y --no-install-recommends qemu-system-x86 swtpm-tools ovmf", missing.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("8443:443", "127.0.0.1", 8443, 443)]
    [InlineData("0:8080", "127.0.0.1", 0, 8080)]
    [InlineData("0.0.0.0:80:8080", "0.0.0.0", 80, 8080)]
    public void A_port_is_read(string text, string address, int host, int guest) =>
        Assert.Equal(new PortForward(IPAddress.Parse(address), host, guest), PortForward.Parse(text));

    [Theory]
    [InlineData("8443")]
    [InlineData("8443:")]
    [InlineData("8443:0")]
    [InlineData("65536:1")]
    [InlineData("-1:1")]
    [InlineData("host:1:1")]
    [InlineData("1:2:3:4")]
    [InlineData("::1:1:1")]
    public void What_is_no_port_is_refused(string text) =>
        Assert.Equal(ImageError.MachineOptionInvalid, Assert.Throws<ImageException>(() => PortForward.Parse(text)).Error);

    [Fact]
    public void A_port_in_use_is_named_before_anything_starts()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        ImageException taken = Assert.Throws<ImageException>(() => HostPorts.Check([new PortForward(IPAddress.Loopback, port, 8080)]));
        Assert.Equal(ImageError.PortInUse, taken.Error);
        Assert.Contains($"Port {port} ", taken.Message, StringComparison.Ordinal);
        HostPorts.Check([new PortForward(IPAddress.Loopback, 0, 8080)]);
    }

    [Fact]
    public void The_ports_that_QEMU_chose_are_found_in_its_table()
    {
        const string Table = """
            Hub -1 (net):
              Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ
              TCP[ESTABLISHED]   12       127.0.0.1  9999       10.0.2.15  8080     0     0
              TCP[HOST_FORWARD]  13       127.0.0.1 43863       10.0.2.15  8080     0     0
              TCP[HOST_FORWARD]  14         0.0.0.0  8443       10.0.2.15  8080     0     0
            """;
        ImmutableArray<RecordedPort> chosen = HostPorts.Chosen(Table, [new(IPAddress.Loopback, 0, 8080), new(IPAddress.Any, 8443, 8080)]);
        Assert.Equal([new RecordedPort("0.0.0.0", 8443, 8080), new RecordedPort("127.0.0.1", 43863, 8080)], chosen.ToArray());
        Assert.Throws<ImageException>(() => HostPorts.Chosen("", [new(IPAddress.Loopback, 0, 8080)]));
    }

    [Fact]
    public void Too_little_memory_says_how_much_is_needed()
    {
        HostMemory.Check(512, 512 + HostMemory.Beside);
        ImageException little = Assert.Throws<ImageException>(() => HostMemory.Check(512, 300));
        Assert.Equal(ImageError.HostMemoryTooSmall, little.Error);
        Assert.Contains($"needs {512 + HostMemory.Beside} MiB", little.Message, StringComparison.Ordinal);
        Assert.Contains("300 MiB", little.Message, StringComparison.Ordinal);
        Assert.True(HostMemory.Available() > 0);
    }

    [Fact]
    public async Task A_socket_may_lie_deeper_than_its_path_can_say()
    {
        using var folder = new TemporaryFolder();
        string deep = Directory.CreateDirectory(Path.Combine([folder.Path, .. Enumerable.Repeat(new string('d', 40), 5)])).FullName, path = Path.Combine(deep, "control.sock");
        using Socket listener = SocketPath.Listen(path);
        Assert.True(File.Exists(path));
        using Socket caller = SocketPath.Connect(path);
        using Socket called = await listener.AcceptAsync();
        await caller.SendAsync("x"u8.ToArray());
        Assert.Equal(1, await called.ReceiveAsync(new byte[1]));
        using Socket again = SocketPath.Listen(path); // over what a killed process left
        Assert.Throws<SocketException>(() => SocketPath.Connect(Path.Combine(deep, "none.sock")));
    }

    [Fact]
    public async Task A_child_is_heard_to_its_end_and_its_words_are_bounded()
    {
        HostTools tools = Tools(out string shell);
        await using ChildProcess child = await ChildProcess.StartAsync(tools, "/", shell, ["-c", "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done; exit 3"]);
        Assert.Equal(3, await child.EndAsync(default));
        Assert.EndsWith("line 4999", child.Words, StringComparison.Ordinal);
        Assert.True(child.Words.Length <= 16 << 10);
    }

    [Fact]
    public async Task A_child_of_a_thread_that_ended_lives_on_and_ends_when_it_is_disposed_of()
    {
        HostTools tools = Tools(out _);
        ChildProcess child = await ChildProcess.StartAsync(tools, "/", "/bin/sleep", ["600"]);
        Assert.NotNull(HostProcess.StartOf(child.Id));
        await child.DisposeAsync();
        Assert.Null(HostProcess.StartOf(child.Id));
    }

    private static HostTools Tools(out string shell)
    {
        shell = "/bin/sh";
        return new HostTools("", "", "", "", "/usr/bin/setpriv", "/usr/bin/setsid", shell, "", "");
    }
}
