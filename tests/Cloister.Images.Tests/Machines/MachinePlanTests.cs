using System.Collections.Immutable;
using System.Net;
using Cloister.Images;
using Cloister.Images.Channel;
using Cloister.Images.Machines;

namespace Cloister.Tests.Machines;

public sealed class MachinePlanTests : IDisposable
{
    private const string Definition = """
        {"name":"plan","start":"serve","coordinatorPolicy":"policy.json","entries":{"serve":{"command":["/bin/serve"],"allowedEnvironment":["MODE"],"activation":"agent","marble":"serve"}},"network":{"listen":[8080]},
         "disks":[{"name":"data","path":"/data","size":16,"key":"file:/run/key"}]}
        """;

    private readonly TemporaryFolder _folder = new();

    public MachinePlanTests() => FirmwareImage.Write(_folder["image"], Definition);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("localhost:2001", "10.0.2.2:2001")]
    [InlineData("127.0.0.1:2001", "10.0.2.2:2001")]
    [InlineData("127.8.8.8:2001", "10.0.2.2:2001")]
    [InlineData("coordinator.example:2001", "coordinator.example:2001")]
    [InlineData("192.168.1.9:2001", "192.168.1.9:2001")]
    public void A_coordinator_of_this_computer_is_named_as_the_machine_sees_it(string given, string told) =>
        Assert.Equal(told, Plan(Options() with { Settings = new MachineSettings { Coordinator = given } }).Settings.Coordinator);

    [Fact]
    public void The_host_has_an_address_in_every_network()
    {
        Assert.Equal("10.0.2.2", MachinePlan.HostSeenFrom(new NetworkRules()).ToString());
        Assert.Equal("192.168.7.2", MachinePlan.HostSeenFrom(new NetworkRules { Address = "192.168.7.40/24", Gateway = "" }).ToString());
        Assert.Equal("192.168.7.3", MachinePlan.HostSeenFrom(new NetworkRules { Address = "192.168.7.2/24", Gateway = "" }).ToString());
        Assert.Equal("10.9.128.0/17", MachinePlan.Masked("10.9.200.1/17"));
    }

    [Fact]
    public void What_the_image_does_not_allow_is_refused_before_the_boot()
    {
        MachineOptions good = Options() with { Settings = new MachineSettings { Environment = Of("MODE", "fast") }, Ports = [new(IPAddress.Loopback, 0, 8080)] };
        Assert.Equal("data", Plan(good).Disks.Single().Disk.Name);
        foreach ((MachineOptions options, ImageError error, string word) in new[]
        {
            (good with { Ports = [new(IPAddress.Loopback, 0, 22)] }, ImageError.MachineOptionInvalid, "22"),
            (good with { Ports = [new(IPAddress.Loopback, 81, 8080), new(IPAddress.Loopback, 81, 8080)] }, ImageError.MachineOptionInvalid, "twice"),
            (good with { Settings = new MachineSettings { Environment = Of("LD_PRELOAD", "x") } }, ImageError.MachineOptionInvalid, "LD_PRELOAD"),
            (good with { Settings = new MachineSettings { Arguments = ["-x"] } }, ImageError.MachineOptionInvalid, "arguments"),
            (good with { Settings = new MachineSettings { Coordinator = "nowhere" } }, ImageError.MachineOptionInvalid, "nowhere"),
            (good with { Disks = Of("other", "x") }, ImageError.DiskInvalid, "other"),
            (good with { Image = _folder["none"] }, ImageError.ImageInvalid, "image.json"),
        })
        {
            ImageException refused = Assert.Throws<ImageException>(() => Plan(options));
            Assert.Equal(error, refused.Error);
            Assert.Contains(word, refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_disk_is_made_once_sparse_and_private_and_never_another_images()
    {
        MachineOptions options = Options() with { Disks = Of("data", _folder["data.disk"]) };
        var folder = new MachineFolder(options.Folder);
        MachineDisks.Prepare(Plan(options), options, folder);
        var made = new FileInfo(_folder["data.disk"]);
        Assert.True(made.Length >= 16 << 20);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, made.UnixFileMode);
        File.WriteAllText(_folder["stamp"], "");
        using (FileStream kept = made.OpenWrite())
            kept.Write("kept"u8);
        MachineDisks.Prepare(Plan(options), options, folder);
        using (FileStream kept = made.OpenRead())
            Assert.Equal((byte)'k', kept.ReadByte());
        using (FileStream cut = made.OpenWrite())
            cut.SetLength(cut.Length - 1);
        Assert.Equal(ImageError.DiskInvalid, Assert.Throws<ImageException>(() => MachineDisks.Prepare(Plan(options), options, folder)).Error);
        Directory.CreateDirectory(_folder["dir"]);
        MachineOptions other = options with { Disks = Of("data", _folder["dir"]) };
        Assert.Equal(ImageError.DiskInvalid, Assert.Throws<ImageException>(() => MachineDisks.Prepare(Plan(other), other, folder)).Error);
    }

    [Fact]
    public void QEMU_gets_no_device_that_is_not_needed_and_no_path_that_it_reads_as_options()
    {
        Directory.CreateDirectory(_folder["a,b"]);
        MachineOptions options = Options() with { Disks = Of("data", _folder["a,b/readonly=on,x"]) };
        var tools = new HostTools("", "", "", "", "", "", "", "/rom,1.fd", "");
        string line = string.Join(' ', QemuCommand.Arguments(Plan(options), options, tools, new MachineFolder(options.Folder), Accelerator.Tcg, sandbox: true));
        Assert.Contains("a,,b/readonly=on,,x", line, StringComparison.Ordinal);
        Assert.Contains("file=/rom,,1.fd", line, StringComparison.Ordinal);
        Assert.Contains("-cpu max,smap=off", line, StringComparison.Ordinal);
        Assert.Contains("serial=data", line, StringComparison.Ordinal);
        Assert.Contains("-nodefaults", line, StringComparison.Ordinal);
        Assert.Contains("-serial none", line, StringComparison.Ordinal);
        Assert.DoesNotContain("-append", line, StringComparison.Ordinal);
        Assert.True(line.IndexOf("drive=root", StringComparison.Ordinal) < line.IndexOf("drive=data-data", StringComparison.Ordinal));
    }

    private static ImmutableSortedDictionary<string, string> Of(string name, string value) => ImmutableSortedDictionary<string, string>.Empty.Add(name, value);

    private MachineOptions Options() => new() { Image = _folder["image"], Folder = _folder["machine"] };

    private MachinePlan Plan(MachineOptions options)
    {
        Directory.CreateDirectory(_folder["machine"]);
        return MachinePlan.Read(options, new MachineFolder(options.Folder));
    }
}
