namespace Cloister.Attestation.Measurements;

/// <summary>
/// The parts of a Unified Kernel Image that systemd-stub 252 measures and hands to the kernel. An image with a part whose
/// measurement is not predicted here (a splash, a device tree, a part twice) is refused, and so is another stub's.
/// </summary>
/// <param name="Program">The whole image.</param>
/// <param name="Linux">The kernel, itself an EFI program.</param>
/// <param name="OsRelease">The text of os-release.</param>
/// <param name="CommandLine">The kernel's command line, printable ASCII.</param>
/// <param name="Initrd">The initrd.</param>
public sealed record UnifiedKernelImage(PortableExecutable Program, ReadOnlyMemory<byte> Linux, ReadOnlyMemory<byte> OsRelease, ReadOnlyMemory<byte> CommandLine, ReadOnlyMemory<byte> Initrd)
{
    /// <summary>The parts, in the order in which the stub measures them.</summary>
    internal static readonly string[] Parts = [".linux", ".osrel", ".cmdline", ".initrd"];

    // Parts that other versions know or that 252 measures elsewhere; the stub's own sections have other names.
    private static readonly string[] Foreign = [".splash", ".dtb", ".dtbauto", ".uname", ".ucode", ".hwids", ".pcrsig", ".pcrpkey", ".profile", ".efifw"];

    /// <summary>Reads an image.</summary>
    /// <param name="bytes">The whole file; it is not copied.</param>
    public static Outcome<UnifiedKernelImage> Read(ReadOnlyMemory<byte> bytes)
    {
        Outcome<PortableExecutable> read = PortableExecutable.Read(bytes);
        if (!read.TryGetValue(out PortableExecutable? program)) return read.RefuseAs<UnifiedKernelImage>();
        var parts = new ReadOnlyMemory<byte>?[Parts.Length];
        bool stub = false;
        foreach (PortableSection section in program.Sections)
        {
            if (section.Name == ".sdmagic") stub = section.Raw.Span.StartsWith("#### LoaderInfo: systemd-stub 252."u8);
            if (Foreign.Contains(section.Name, StringComparer.Ordinal)) return Refuse(section.Name, "such a part is not predicted");
            int part = Array.IndexOf(Parts, section.Name);
            if (part < 0) continue;
            if (parts[part] is not null) return Refuse(section.Name, "stands twice");
            if (section.VirtualSize == 0 || section.VirtualSize > section.FileSize) return Refuse(section.Name, "its length is not that of its content");
            parts[part] = section.Raw[..(int)section.VirtualSize];
        }
        if (!stub) return Refuse(".sdmagic", "is not systemd-stub 252");
        int missing = Array.FindIndex(parts, part => part is null);
        if (missing >= 0) return Refuse(Parts[missing], "is missing");
        if (parts[2]!.Value.Span.ContainsAnyExceptInRange((byte)0x20, (byte)0x7E)) return Refuse(".cmdline", "is not printable ASCII");
        return Outcome.Accept(new UnifiedKernelImage(program, parts[0]!.Value, parts[1]!.Value, parts[2]!.Value, parts[3]!.Value));
    }

    /// <summary>Fuzz target: never throws.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes) => _ = Read(bytes.ToArray()).IsAccepted;

    private static Outcome<UnifiedKernelImage> Refuse(string field, string reason) => Outcome.Refuse<UnifiedKernelImage>(Refusal.ImageNotPredictable, field, reason);
}
