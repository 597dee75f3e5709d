using System.Security.Cryptography;
using System.Text;
using Cloister.Attestation.Measurements;
using Cloister.Images;
using Cloister.Images.Build;
using Cloister.Tests.Boot;

namespace Cloister.Tests;

/// <summary>Whole images of a few files, and no boot.</summary>
public sealed class ImageBuilderTests
{
    private const string Definition = """
        { "name": "x", "product": 4, "version": 2, "entries": { "run": { "command": ["/opt/run"] } }, "files": [{ "directory": "root" }], "coordinatorPolicy": "policy.json" }
        """;

    [KernelFact]
    public async Task The_same_inputs_give_the_same_bytes_in_every_file()
    {
        using TemporaryFolder one = Sources(), other = Sources();
        File.SetLastWriteTimeUtc(other["root/opt/run"], new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));
        ImageMeasurements measured = await BuildAsync(one);
        Assert.Equal(ImageMeasurementsJson.Write(measured), ImageMeasurementsJson.Write(await BuildAsync(other)));
        foreach (string file in Directory.EnumerateFiles(one["image"]))
            Assert.Equal(SHA256.HashData(File.ReadAllBytes(file)), SHA256.HashData(File.ReadAllBytes(other["image/" + Path.GetFileName(file)])));
        Assert.Equal(["image.json", "image.lock", "measurements.json", "root.img", "uki.efi"], Directory.EnumerateFiles(one["image"]).Select(Path.GetFileName).Order());
        Assert.Equal(File.ReadAllBytes(one["image.lock"]), File.ReadAllBytes(one["image/image.lock"]));

        // Packages and disks as well.
        ImageFolder image = ImageFolder.Open(one["image"]);
        await ImagePackage.WriteAsync(image, one["x.tar"], disk: true, default);
        await ImagePackage.WriteAsync(ImageFolder.Open(other["image"]), other["x.tar"], disk: true, default);
        Assert.Equal(SHA256.HashData(File.ReadAllBytes(one["x.tar"])), SHA256.HashData(File.ReadAllBytes(other["x.tar"])));
        ImageFolder unpacked = await ImageFolder.OpenAsync(one["x.tar"], one["cache"], default);
        Assert.Equal(ImageMeasurementsJson.Write(measured), ImageMeasurementsJson.Write(await unpacked.VerifyAsync(null, default)));
        Assert.True(File.Exists(Path.Combine(unpacked.Path, ImageLayout.Disk)));
    }

    [KernelFact]
    public async Task Every_file_of_an_image_is_covered()
    {
        using TemporaryFolder folder = Sources();
        await BuildAsync(folder);
        Assert.Equal("x", (await ImageFolder.Open(folder["image"]).VerifyAsync(null, default)).Name);
        foreach ((string name, ReadOnlyMemory<byte> at) in new (string, ReadOnlyMemory<byte>)[] { (ImageLayout.Root, default), (ImageLayout.Uki, "roothash="u8.ToArray()), (ImageLayout.Uki, "\"product\":4"u8.ToArray()), (ImageLayout.Measurements, "\"4\": \""u8.ToArray()), (ImageLayout.Definition, "/opt/ru"u8.ToArray()) })
        {
            string path = folder["image/" + name];
            byte[] bytes = File.ReadAllBytes(path), changed = (byte[])bytes.Clone();
            int place = at.IsEmpty ? 100 : bytes.AsSpan().IndexOf(at.Span) + at.Length;
            changed[place] = changed[place] == (byte)'1' ? (byte)'2' : (byte)'1';
            File.WriteAllBytes(path, changed);
            Assert.Equal(ImageError.MeasurementsDiffer, (await Assert.ThrowsAsync<ImageException>(() => ImageFolder.Open(folder["image"]).VerifyAsync(null, default))).Error);
            File.WriteAllBytes(path, bytes);
        }
    }

    [KernelFact]
    public async Task Configuration_changes_the_kernel_image_and_not_the_root()
    {
        using TemporaryFolder folder = Sources();
        ImageMeasurements one = await BuildAsync(folder);
        ImageMeasurements other = await BuildAsync(folder, Definition.Replace("\"/opt/run\"", "\"/opt/run\", \"--more\"", StringComparison.Ordinal));
        Assert.Equal(one.RootHash, other.RootHash);
        foreach (BootPath path in Enum.GetValues<BootPath>())
            Assert.Equal([4, 9, 11], one.Pcrs[path].Where(pcr => other.Pcrs[path][pcr.Key] != pcr.Value).Select(pcr => pcr.Key));
        ImageMeasurements debug = await BuildAsync(folder, Definition.Replace("\"name\"", "\"debug\": true, \"name\"", StringComparison.Ordinal));
        Assert.True(debug.Debug);
        Assert.NotEqual(one.Pcrs[BootPath.Kernel][11], debug.Pcrs[BootPath.Kernel][11]);
    }

    [KernelFact]
    public async Task Inputs_that_changed_are_refused_until_they_are_accepted()
    {
        using TemporaryFolder folder = Sources();
        await BuildAsync(folder);
        folder.Write("root/opt/data", "other");
        folder.Write("policy.json", "{ }");
        ImageException refused = await Assert.ThrowsAsync<ImageException>(() => BuildAsync(folder));
        Assert.Equal(ImageError.LockDiffers, refused.Error);
        Assert.Contains("changed  directory root", refused.Message, StringComparison.Ordinal);
        Assert.Contains("changed  file coordinator-policy.json", refused.Message, StringComparison.Ordinal);
        await BuildAsync(folder, update: true);
        await BuildAsync(folder);
    }

    [KernelFact]
    public async Task Nothing_half_written_is_left_and_nothing_foreign_is_replaced()
    {
        using TemporaryFolder folder = Sources();
        ImageMeasurements before = await BuildAsync(folder);
        // What a killed build left.
        Directory.CreateDirectory(folder[".image.0123.cloister-tmp"]);
        folder.Write(".image.0123.cloister-tmp/root.img", "half");
        using (var stop = new CancellationTokenSource())
        {
            var progress = new StopAt(BuildStage.Kernel, stop);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => BuildAsync(folder, Definition.Replace("\"version\": 2", "\"version\": 3", StringComparison.Ordinal), progress: progress, cancellation: stop.Token));
        }
        Assert.Equal(["cache", "image", "image.lock", "policy.json", "programs", "root"], Directory.EnumerateFileSystemEntries(folder.Path).Select(Path.GetFileName).Order());
        Assert.Equal(before.Uki, (await ImageFolder.Open(folder["image"]).VerifyAsync(null, default)).Uki);

        folder.Write("other/precious", "x");
        ImageException refused = await Assert.ThrowsAsync<ImageException>(() => BuildAsync(folder, output: "other"));
        Assert.Equal(ImageError.AlreadyExists, refused.Error);
        Assert.True(File.Exists(folder["other/precious"]));
        Assert.Equal(ImageError.ImageInvalid, Assert.Throws<ImageException>(() => ImageFolder.Open(folder["other"])).Error);
        Assert.Equal(ImageError.SourceRefused, (await Assert.ThrowsAsync<ImageException>(() => BuildAsync(folder, output: "root/image"))).Error);
        Assert.Equal(ImageError.SourceUnreadable, (await Assert.ThrowsAsync<ImageException>(() => BuildAsync(folder, Definition.Replace("policy.json", "absent.json", StringComparison.Ordinal)))).Error);
    }

    [ToolFact("fsck.vfat", "mdir", "mcopy")]
    public async Task Others_read_the_disk_to_boot_from()
    {
        using var folder = new TemporaryFolder();
        foreach (int size in new[] { 1, 3 << 20, 40_000_000 })
        {
            byte[] program = RandomNumberGenerator.GetBytes(size);
            folder.Write("disk", BootDisk.Make(program));
            await Tool.RunAsync(Tool.Find("fsck.vfat", "dosfstools"), ["-n", "-v", folder["disk"]], default);
            Assert.Contains("BOOTX64", await Tool.RunAsync(Tool.Find("mdir", "mtools"), ["-i", folder["disk"], "::/EFI/BOOT"], default), StringComparison.Ordinal);
            await Tool.RunAsync(Tool.Find("mcopy", "mtools"), ["-n", "-o", "-i", folder["disk"], "::/EFI/BOOT/BOOTX64.EFI", folder["copy"]], default);
            Assert.Equal(SHA256.HashData(program), SHA256.HashData(File.ReadAllBytes(folder["copy"])));
        }
        Assert.Equal("1F69", Convert.ToHexString(SHA256.HashData(BootDisk.Make(Encoding.ASCII.GetBytes("program"))))[..4]);
    }

    private static TemporaryFolder Sources()
    {
        TemporaryFolder folder = RootBuildTests.Sources();
        folder.Write("policy.json", "{}");
        // The kernel is fetched once a machine; roots are built anew for every test.
        Directory.CreateDirectory(folder["cache"]);
        Directory.CreateSymbolicLink(folder["cache/packages"], Path.Combine(BuildOptions.DefaultCache, "packages"));
        return folder;
    }

    private static Task<ImageMeasurements> BuildAsync(TemporaryFolder folder, string definition = Definition, bool update = false, string output = "image", IProgress<BuildProgress>? progress = null, CancellationToken cancellation = default) =>
        ImageBuilder.BuildAsync(ImageDefinitionTests.Read(definition), folder.Path, new BuildOptions { Output = folder[output], Programs = folder["programs"], Cache = folder["cache"], Update = update }, progress, cancellation);

    private sealed class StopAt(BuildStage stage, CancellationTokenSource stop) : IProgress<BuildProgress>
    {
        public void Report(BuildProgress value)
        {
            if (value.Stage == stage) stop.Cancel();
        }
    }
}
