using System.Security.Cryptography;
using System.Text;
using Cloister.Attestation.Measurements;
using Cloister.Images;
using Cloister.Images.Boot;
using Cloister.Images.Build;

namespace Cloister.Tests.Boot;

public sealed class UnifiedKernelTests
{
    private static readonly byte[] Hash = SHA256.HashData("root"u8), Salt = SHA256.HashData("salt"u8);

    private static RootDisk Root { get; } = new("/none/root.img", 240, Hash, Salt);

    private static ImageDefinition Definition { get; } = new() { Name = "web", Product = 3, Version = 7 };

    [KernelFact]
    public void The_same_inputs_give_the_same_image_and_it_can_be_predicted()
    {
        byte[] uki = Build(Definition, Root);
        Assert.Equal(uki, Build(Definition, Root));
        UnifiedKernelImage image = UnifiedKernelImage.Read(uki).Value;
        Assert.Equal(File.ReadAllBytes(KernelFactAttribute.Kernel!.Vmlinuz), image.Linux.ToArray());
        Assert.Equal("ID=cloister\nNAME=Cloister\nIMAGE_ID=web\nIMAGE_VERSION=3.7\n", Encoding.ASCII.GetString(image.OsRelease.Span));
        Assert.True(BootPrediction.Predict(uki, BootPath.Kernel).IsAccepted);
    }

    [KernelFact]
    public void What_differs_shows_in_the_measurements()
    {
        string[] images = [.. new[]
        {
            Build(Definition, Root),
            Build(Definition, Root with { RootHash = Salt }),
            Build(Definition, Root with { Salt = Hash }),
            Build(Definition, Root with { DataBlocks = 241 }),
            Build(Definition with { Debug = true }, Root),
            Build(Definition, Root, "other"),
        }.Select(uki => BootPrediction.Predict(uki, BootPath.Kernel).Value[9])];
        Assert.Equal(images.Distinct(), images);
    }

    [KernelFact]
    public void The_root_hash_on_the_command_line_is_the_one_that_init_demands()
    {
        UnifiedKernelImage image = UnifiedKernelImage.Read(Build(Definition, Root)).Value;
        string line = Encoding.ASCII.GetString(image.CommandLine.Span), hash = Convert.ToHexStringLower(Hash);
        Assert.StartsWith($"roothash={hash} lockdown=confidentiality module.sig_enforce=1 panic=-1 oops=panic ", line, StringComparison.Ordinal);
        Assert.True(image.Initrd.Span.IndexOf(Encoding.ASCII.GetBytes($" 240 240 sha256 {hash} {Convert.ToHexStringLower(Salt)} 1 panic_on_corruption\0")) > 0);
    }

    [Fact]
    public void Only_a_debug_image_has_a_console()
    {
        Assert.EndsWith(" console=null quiet loglevel=0", UnifiedKernel.CommandLine(Definition, Root), StringComparison.Ordinal);
        Assert.DoesNotContain("console=tty", UnifiedKernel.CommandLine(Definition, Root), StringComparison.Ordinal);
        Assert.EndsWith(" console=ttyS0", UnifiedKernel.CommandLine(Definition with { Debug = true }, Root), StringComparison.Ordinal);
        Assert.Equal(-1, InitProgram.Build(Root, [], debug: false, console: false).AsSpan().IndexOf("/dev/ttyS0"u8));
        Assert.Equal(-1, InitProgram.Build(Root, [], debug: false, console: true).AsSpan().IndexOf("/dev/console"u8));
    }

    [Fact]
    public void Settings_are_stated_once_and_modules_close_last()
    {
        foreach (bool debug in new[] { false, true })
        {
            string[] names = [.. KernelSettings.Of(debug).Select(setting => setting.Name)];
            Assert.Equal(names.Distinct(), names);
            Assert.Equal(("kernel/modules_disabled", "1"), KernelSettings.Of(debug)[^1]);
        }
    }

    [KernelFact]
    public void Mistakes_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Build(Definition, Root with { RootHash = new byte[31] }));
        Assert.Throws<ArgumentException>(() => UnifiedKernel.Build(KernelFactAttribute.Kernel!, Definition, Root, new Dictionary<string, ReadOnlyMemory<byte>> { ["../a"] = default }));
        KernelFiles none = KernelFactAttribute.Kernel! with { Stub = KernelFactAttribute.Kernel.Modules + "/modules.order" };
        Assert.Equal(ImageError.BootPartInvalid, Assert.Throws<ImageException>(() => UnifiedKernel.Build(none, Definition, Root, new Dictionary<string, ReadOnlyMemory<byte>>())).Error);
    }

    [KernelFact]
    public void Sections_are_appended_as_long_as_their_content()
    {
        byte[] stub = File.ReadAllBytes(KernelFactAttribute.Kernel!.Stub);
        byte[] appended = StubImage.Append(stub, (".one", "1"u8.ToArray()), (".two", new byte[0x201]));
        PortableExecutable before = PortableExecutable.Read(stub).Value, after = PortableExecutable.Read(appended).Value;
        Assert.Equal(before.Sections.Select(section => section.Raw.ToArray()), after.Sections.SkipLast(2).Select(section => section.Raw.ToArray()));
        Assert.Equal([(".one", 1u, 0x200), (".two", 0x201u, 0x400)], after.Sections.TakeLast(2).Select(section => (section.Name, section.VirtualSize, section.FileSize)));
        Assert.Equal(ImageError.BootPartInvalid, Assert.Throws<ImageException>(() => StubImage.Append(stub, [.. Enumerable.Range(0, 12).Select(i => ($".s{i}", (ReadOnlyMemory<byte>)new byte[1]))])).Error);
    }

    private static byte[] Build(ImageDefinition definition, RootDisk root, string configuration = "{}") =>
        UnifiedKernel.Build(KernelFactAttribute.Kernel!, definition, root, new Dictionary<string, ReadOnlyMemory<byte>> { ["image.json"] = Encoding.UTF8.GetBytes(configuration) });
}
