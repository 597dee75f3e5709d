using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;

namespace Cloister.Images.Boot;

/// <summary>
/// The kernel modules of a machine, in the order in which they load. A kernel's package has no modules.dep (it is made where the
/// package is installed), so what a module needs is read from the module itself, section <c>.modinfo</c>.
/// </summary>
internal static class KernelModules
{
    private const int MaximumSize = 64 << 20, SectionHeader = 64;

    /// <summary>What every machine loads. After that no module can be loaded, so this is also what a machine can ever do.</summary>
    public static ImmutableArray<string> Needed { get; } =
    [
        "virtio_pci", "virtio_blk", "virtio_console", "virtio_rng", "virtio_net",
        "dm_verity", "squashfs",
        "nf_tables", "nft_ct", "nft_reject_inet",
    ];

    /// <summary>What makes a machine faster where its processor has it; a machine without starts all the same.</summary>
    public static ImmutableArray<string> Optional { get; } = ["sha256_ssse3"];

    /// <summary>The modules' files with all that they depend on, dependencies first.</summary>
    /// <param name="folder">The kernel's folder of modules.</param>
    /// <param name="names">The modules wanted.</param>
    /// <exception cref="ImageException">A module is missing or is none.</exception>
    public static ImmutableArray<KernelModule> Resolve(string folder, IEnumerable<string> names)
    {
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string path in Directory.EnumerateFiles(folder, "*.ko", SearchOption.AllDirectories))
            files[Normal(Path.GetFileNameWithoutExtension(path))] = path;
        var ordered = ImmutableArray.CreateBuilder<KernelModule>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string name in names) Visit(Normal(name));
        return ordered.ToImmutable();

        void Visit(string name)
        {
            if (!seen.Add(name)) return;
            if (!files.TryGetValue(name, out string? path)) throw Invalid(name, "is not in the kernel's package");
            if (new FileInfo(path).Length > MaximumSize) throw Invalid(name, "is too large");
            byte[] content = File.ReadAllBytes(path);
            foreach (string dependency in Dependencies(name, content)) Visit(Normal(dependency));
            ordered.Add(new KernelModule(name, content));
        }
    }

    /// <summary>Names a module depends on.</summary>
    /// <exception cref="ImageException">It is no module.</exception>
    internal static IEnumerable<string> Dependencies(string name, ReadOnlySpan<byte> module)
    {
        string? depends = Information(name, module).Split('\0').FirstOrDefault(entry => entry.StartsWith("depends=", StringComparison.Ordinal));
        return depends is null ? throw Invalid(name, "does not say what it depends on") : depends["depends=".Length..].Split(',', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Fuzz target: throws nothing but the documented refusal.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _ = Dependencies("fuzz", bytes).Count();
        }
        catch (ImageException refused) when (refused.Error == ImageError.BootPartInvalid)
        {
            return;
        }
    }

    // ELF-64: the section headers' place, size and number, the section of names; then the section called .modinfo.
    private static string Information(string name, ReadOnlySpan<byte> file)
    {
        if (file.Length < 64 || !file.StartsWith("\u007fELF"u8)) throw Invalid(name, "is no ELF file");
        ulong table = BinaryPrimitives.ReadUInt64LittleEndian(file[40..]);
        int size = BinaryPrimitives.ReadUInt16LittleEndian(file[58..]), count = BinaryPrimitives.ReadUInt16LittleEndian(file[60..]), names = BinaryPrimitives.ReadUInt16LittleEndian(file[62..]);
        if (size != SectionHeader || names >= count || table > (ulong)file.Length || (ulong)(count * SectionHeader) > (ulong)file.Length - table) throw Invalid(name, "has no table of sections");
        ReadOnlySpan<byte> headers = file.Slice((int)table, count * SectionHeader), texts = Content(name, file, headers[(names * SectionHeader)..]);
        for (int i = 0; i < count; i++)
        {
            uint at = BinaryPrimitives.ReadUInt32LittleEndian(headers[(i * SectionHeader)..]);
            if (at < texts.Length && texts[(int)at..].StartsWith(".modinfo\0"u8)) return Encoding.Latin1.GetString(Content(name, file, headers[(i * SectionHeader)..]));
        }
        throw Invalid(name, "has no .modinfo");
    }

    private static ReadOnlySpan<byte> Content(string name, ReadOnlySpan<byte> file, ReadOnlySpan<byte> header)
    {
        ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(header[24..]), size = BinaryPrimitives.ReadUInt64LittleEndian(header[32..]);
        return offset <= (ulong)file.Length && size <= (ulong)file.Length - offset ? file.Slice((int)offset, (int)size) : throw Invalid(name, "has a section outside the file");
    }

    private static string Normal(string name) => name.Replace('-', '_');

    private static ImageException Invalid(string name, string reason) => new(ImageError.BootPartInvalid, $"The kernel module {name} {reason}.");
}

/// <summary>A kernel module.</summary>
/// <param name="Name">Its name, with underscores.</param>
/// <param name="Content">The file, with the signature at its end.</param>
internal sealed record KernelModule(string Name, ReadOnlyMemory<byte> Content);
