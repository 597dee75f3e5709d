using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Cloister.Images.Build;

namespace Cloister.Images.Boot;

/// <summary>
/// Makes the Unified Kernel Image of a machine: systemd's stub with the kernel, the command line, and an initrd that holds init,
/// the modules and the configuration. The same inputs give the same bytes.
/// </summary>
public static class UnifiedKernel
{
    private const int MaximumConfiguration = 4 << 20;

    /// <summary>Makes an image.</summary>
    /// <param name="kernel">Kernel, stub and modules.</param>
    /// <param name="definition">What the image is.</param>
    /// <param name="root">Its root; the disk itself is not read.</param>
    /// <param name="configuration">Files that the machine sees under <see cref="GuestPaths.Configuration"/>, by their plain names.</param>
    /// <exception cref="ImageException">Kernel, stub or modules are not what they should be, or the configuration is too large.</exception>
    public static byte[] Build(KernelFiles kernel, ImageDefinition definition, RootDisk root, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> configuration)
    {
        if (root.RootHash.Length != 32 || root.Salt.Length != 32 || root.DataBlocks <= 0) throw new ArgumentException("A root has at least one block and a hash and a salt of 32 bytes each.", nameof(root));
        if (configuration.Values.Sum(content => (long)content.Length) > MaximumConfiguration) throw new ImageException(ImageError.SourceTooLarge, $"The configuration has more than {MaximumConfiguration} bytes.");
        ImmutableArray<KernelModule> needed = KernelModules.Resolve(kernel.Modules, KernelModules.Needed);
        ImmutableArray<KernelModule> optional = [.. KernelModules.Resolve(kernel.Modules, KernelModules.Optional).Where(module => needed.All(one => one.Name != module.Name))];
        byte[] init = InitProgram.Build(root, [.. optional.Select(module => (module.Name, true)), .. needed.Select(module => (module.Name, false))], definition.Debug, definition.Debug || definition.Console != ConsoleOutput.None);
        return StubImage.Append(
            Read(kernel.Stub),
            (".osrel", Encoding.UTF8.GetBytes(OsRelease(definition))),
            (".cmdline", Encoding.ASCII.GetBytes(CommandLine(definition, root))),
            (".linux", Read(kernel.Vmlinuz)),
            (".initrd", Initrd(init, [.. optional, .. needed], configuration)));
    }

    /// <summary>The kernel's command line. Every word of it is measured twice, into PCRs 9 and 11.</summary>
    internal static string CommandLine(ImageDefinition definition, RootDisk root) => string.Join(' ',
    [
        // For those who read a measured boot; init has the same bytes built in.
        $"roothash={Convert.ToHexStringLower(root.RootHash.Span)}",

        // Nobody changes the kernel or reads it, not even root; only Debian's modules load, until none does.
        "lockdown=confidentiality", "module.sig_enforce=1",

        // What goes wrong ends the machine.
        "panic=-1", "oops=panic",

        // Less to attack: no second network protocol, no firmware calls, no debug files, no merging or reuse of memory as it was left.
        "ipv6.disable=1", "efi=noruntime", "debugfs=off", "slab_nomerge", "init_on_alloc=1", "init_on_free=1", "page_alloc.shuffle=1", "randomize_kstack_offset=on", "vsyscall=none",

        // Without a console there is none for a screen or a serial line that the host adds, and a panic's registers go nowhere.
        .. definition.Debug ? ["console=ttyS0"] : (string[])["console=null", "quiet", "loglevel=0"],
    ]);

    private static string OsRelease(ImageDefinition definition) => string.Create(CultureInfo.InvariantCulture, $"ID=cloister\nNAME=Cloister\nIMAGE_ID={definition.Name}\nIMAGE_VERSION={definition.Product}.{definition.Version}\n");

    private static byte[] Initrd(byte[] init, IEnumerable<KernelModule> modules, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> configuration)
    {
        var archive = new CpioArchive();
        foreach (string folder in new[] { "dev", "proc", "sys", "root" }) archive.AddDirectory(folder);
        archive.AddDevice("dev/console", 5, 1);
        archive.AddFile("init", init, 0x140);
        foreach (KernelModule module in modules) archive.AddFile($"{InitProgram.Modules[1..]}/{module.Name}.ko", module.Content);
        archive.AddDirectory(InitProgram.Configuration[1..]);
        foreach ((string name, ReadOnlyMemory<byte> content) in configuration)
        {
            if (name.Contains('/', StringComparison.Ordinal)) throw new ArgumentException($"'{name}' is not a plain name.", nameof(configuration));
            archive.AddFile($"{InitProgram.Configuration[1..]}/{name}", content);
        }
        return archive.Build();
    }

    private static byte[] Read(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (IOException failed)
        {
            throw new ImageException(ImageError.BootPartInvalid, $"{path} cannot be read: {failed.Message}", failed);
        }
    }
}
