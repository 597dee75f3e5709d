using System.Text;
using Cloister.Agent.Disks;
using Cloister.Images;
using Cloister.Sealing;
using Cloister.Tests.Mesh;
using Cloister.Workload;

namespace Cloister.Agent.Tests.Disks;

public sealed class DiskPartsTests
{
    [Fact]
    public void A_device_is_found_by_its_serial_number_if_there_is_one_of_it()
    {
        using var folder = new TemporaryFolder();
        Block("vda", null);
        Block("vdb", "data\n");
        Block("vdc", "twice");
        Block("vdd", "twice");
        Block("vde", new string('x', 200));
        var devices = new DiskDevices(folder.At("block"), "/dev");
        Assert.Equal("/dev/vdb", devices.Find("data"));
        foreach (string name in new[] { "none", "twice", "" })
            Assert.Equal(ImageError.DiskMissing, Assert.Throws<ImageException>(() => devices.Find(name)).Error);
        Assert.Equal(ImageError.DiskMissing, Assert.Throws<ImageException>(() => new DiskDevices(folder.At("nowhere")).Find("data")).Error);

        void Block(string name, string? serial)
        {
            Directory.CreateDirectory(folder.At("block", name));
            if (serial is not null) File.WriteAllText(folder.At("block", name, "serial"), serial);
        }
    }

    [Fact]
    public void A_key_is_64_hexadecimal_digits_of_the_activation()
    {
        string digits = string.Concat(Enumerable.Repeat("0aF9", 16));
        using SecretBytes good = Secret(digits), line = Secret(digits + "\n"), shorter = Secret(digits[..63]), longer = Secret(digits + "0"), odd = Secret(digits[..63] + "g");
        var parameters = new WorkloadParameters(
            new Dictionary<string, SecretBytes> { ["/keys/good"] = good, ["/keys/line"] = line, ["/keys/shorter"] = shorter, ["/keys/longer"] = longer, ["/keys/odd"] = odd },
            new Dictionary<string, SecretBytes> { ["GOOD"] = good }, []);
        foreach (string place in new[] { "file:/keys/good", "file:/keys/line", "environment:GOOD" })
        {
            using SecretBytes key = DiskKeyText.Read(parameters, Disk(place));
            Assert.Equal(digits, Convert.ToHexString(key.Span), ignoreCase: true);
        }
        foreach (string place in new[] { "file:/keys/shorter", "file:/keys/longer", "file:/keys/odd", "file:/keys/none", "environment:NONE", "environment:/keys/good", "file:GOOD" })
        {
            var refused = Assert.Throws<ImageException>(() => DiskKeyText.Read(parameters, Disk(place)));
            Assert.Equal(ImageError.DiskKey, refused.Error);
            Assert.DoesNotContain("0aF9", refused.Message, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public void Keys_of_disks_are_not_programs_parameters()
    {
        var definition = new ImageDefinition { Name = "shop", Disks = [Disk("file:/keys/a"), Disk("environment:B")] };
        Assert.True(DiskKeyText.IsFile(definition, "/keys/a"));
        Assert.False(DiskKeyText.IsFile(definition, "/keys/b"));
        Assert.True(DiskKeyText.IsVariable(definition, "B"));
        Assert.False(DiskKeyText.IsVariable(definition, "/keys/a"));
    }

    [Theory]
    [InlineData("1234 (redis-server) T 1 1234 1234 0 -1 4194304 0 0", true)]
    [InlineData("1234 (a) R (b) t 1 1234 1234 0 -1 4194304 0 0", true)]
    [InlineData("1234 (ended) Z 1 1234 1234 0 -1 4194308 0 0", true)]
    [InlineData("1234 (redis-server) S 1 1234 1234 0 -1 4194304 0 0", false)]
    [InlineData("1234 (x) T (y) D 1 1234 1234 0 -1 4194304 0 0", false)]
    [InlineData("9 (kworker/0:0H-ev) I 2 0 0 0 -1 69238880 0 0", true)]
    [InlineData("9 (not a kworker) I 2 0 0 0 -1 4194304 0 0", false)]
    [InlineData("", false)]
    public void A_process_stands_still_if_it_is_stopped_ended_or_the_kernels(string stat, bool stands) => Assert.Equal(stands, ProgramPause.Stands(stat));

    [Fact]
    public async Task Nobody_but_process_1_stops_everybody() =>
        await Assert.ThrowsAsync<InvalidOperationException>(() => ProgramPause.BeginAsync(TimeProvider.System, CancellationToken.None));

    private static DataDisk Disk(string key) => new("data", "/data", 1, key);

    private static SecretBytes Secret(string text) => SecretBytes.Copy(Encoding.ASCII.GetBytes(text));
}
