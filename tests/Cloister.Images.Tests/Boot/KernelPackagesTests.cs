using Cloister.Images;
using Cloister.Images.Boot;

namespace Cloister.Tests.Boot;

/// <summary>Where the pinned packages can be had (from the user's own cache, or the network), they are checked; elsewhere only the refusals are.</summary>
public sealed class KernelPackagesTests
{
    [Fact]
    public async Task A_version_that_is_not_there_says_what_to_do()
    {
        using var folder = new Folder();
        KernelPins pins = KernelPins.Read() with { Packages = [new PinnedPackage("cloister-no-such-package", "1:1.0-1", new string('0', 64))] };
        ImageException refused = await Assert.ThrowsAsync<ImageException>(() => KernelPackages.FetchAsync(pins, folder.Path, null, default));
        if (refused.Error == ImageError.ToolMissing) return;
        Assert.Equal(ImageError.PackagesUnavailable, refused.Error);
        Assert.Contains("apt-get update", refused.Message, StringComparison.Ordinal);
        Assert.Contains("cloister-no-such-package_1.0-1_amd64.deb", refused.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path + "/packages"));
    }

    [LinuxFact(program: "/usr/bin/dpkg-deb")]
    public async Task A_package_laid_by_hand_is_checked_and_other_content_refused()
    {
        using var folder = new Folder();
        folder.File("tree/DEBIAN/control", "Package: hand\nVersion: 1\nArchitecture: amd64\nMaintainer: x <x@example.org>\nDescription: x\n"u8);
        folder.File("tree/boot/kernel", "no kernel"u8);
        Directory.CreateDirectory(folder.Path + "/packages");
        string deb = folder.Path + "/packages/hand_1_amd64.deb";
        Assert.Equal(0, (await Running.RunAsync("/usr/bin/dpkg-deb", ["--root-owner-group", "-b", folder.Path + "/tree", deb], ("PATH", "/usr/bin:/bin"))).Code);
        string digest = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(await File.ReadAllBytesAsync(deb)));
        KernelPins pins = KernelPins.Read() with { Packages = [new PinnedPackage("hand", "1", digest)] };
        ImageException refused = await Assert.ThrowsAsync<ImageException>(() => KernelPackages.FetchAsync(pins, folder.Path, null, default));
        Assert.Equal(ImageError.DownloadDiffers, refused.Error);
        Assert.Equal([deb], Directory.EnumerateFileSystemEntries(folder.Path + "/packages"));
    }

    [KernelFact]
    public void The_pinned_files_are_whole_and_a_changed_cache_is_noticed()
    {
        KernelFiles kernel = KernelFactAttribute.Kernel!;
        Assert.Equal(["linux-image-6.1.0-56-cloud-amd64", "systemd-boot-efi", "libc6", "libgcc-s1", "libssl3", "libstdc++6"], kernel.Packages.Select(package => package.Name));
        Assert.Equal(KernelPins.Read().ModulesSha256, KernelPackages.ModulesDigest(kernel.Modules));
    }

    [KernelFact]
    public async Task A_damaged_cache_is_made_anew()
    {
        // A copy of the cache whose kernel is cut; the .deb files cannot be had there, so the damage must be noticed.
        KernelFiles kernel = KernelFactAttribute.Kernel!;
        using var folder = new Folder();
        KernelPins pins = KernelPins.Read();
        string copy = $"packages/{Path.GetFileName(kernel.Vmlinuz[..^(pins.Kernel.Length + 1)])}";
        folder.File($"{copy}/{pins.Kernel}", "cut"u8);
        folder.File($"{copy}/{pins.Stub}", await File.ReadAllBytesAsync(kernel.Stub));
        Directory.CreateSymbolicLink($"{folder.Path}/{copy}/lib", Path.GetDirectoryName(Path.GetDirectoryName(kernel.Modules))!);
        KernelPins unavailable = pins with { Packages = [new PinnedPackage("cloister-no-such-package", "1", new string('0', 64))] };
        ImageException refused = await Assert.ThrowsAsync<ImageException>(() => KernelPackages.FetchAsync(unavailable, folder.Path, null, default));
        Assert.True(refused.Error is ImageError.PackagesUnavailable or ImageError.ToolMissing, refused.Message);
    }

    [KernelFact]
    public void Modules_come_after_what_they_depend_on()
    {
        string[] order = [.. KernelModules.Resolve(KernelFactAttribute.Kernel!.Modules, KernelModules.Needed).Select(module => module.Name)];
        Assert.Equal(order.Distinct(), order);
        foreach ((string before, string after) in new[] { ("virtio_ring", "virtio_pci"), ("virtio_pci", "virtio_blk"), ("dm_mod", "dm_bufio"), ("dm_bufio", "dm_verity"), ("reed_solomon", "dm_verity"), ("libcrc32c", "nf_tables"), ("nf_defrag_ipv4", "nf_conntrack"), ("nf_conntrack", "nft_ct"), ("failover", "net_failover"), ("net_failover", "virtio_net") })
            Assert.True(Array.IndexOf(order, before) >= 0 && Array.IndexOf(order, before) < Array.IndexOf(order, after), $"{before} before {after}: {string.Join(' ', order)}");
        Assert.Equal(ImageError.BootPartInvalid, Assert.Throws<ImageException>(() => KernelModules.Resolve(KernelFactAttribute.Kernel!.Modules, ["none"])).Error);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(64)]
    public void A_file_that_is_no_module_is_refused(int length)
    {
        byte[] file = new byte[length];
        "\u007fELF"u8[..Math.Min(4, length)].CopyTo(file);
        Assert.Equal(ImageError.BootPartInvalid, Assert.Throws<ImageException>(() => KernelModules.Dependencies("some", file)).Error);
    }
}

/// <summary>A fact that needs the pinned kernel: from the user's cache, else from the network; skipped where neither has it.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class KernelFactAttribute : FactAttribute
{
    private static readonly Lazy<(KernelFiles? Files, string? Reason)> Fetched = new(() =>
    {
        try
        {
            return (KernelPackages.FetchAsync(Cloister.Images.Build.BuildOptions.DefaultCache, null, default).GetAwaiter().GetResult(), null);
        }
        catch (ImageException missing)
        {
            return (null, missing.Message);
        }
    });

    public KernelFactAttribute() => Skip = Fetched.Value.Reason;

    public static KernelFiles? Kernel => Fetched.Value.Files;
}
