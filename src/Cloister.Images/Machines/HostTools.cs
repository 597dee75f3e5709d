namespace Cloister.Images.Machines;

/// <summary>The programs and firmware of this computer that a machine needs.</summary>
/// <param name="Qemu">qemu-system-x86_64.</param>
/// <param name="Swtpm">The TPM.</param>
/// <param name="SwtpmSetup">Makes a TPM.</param>
/// <param name="SwtpmLocalCa">Makes its certificates.</param>
/// <param name="Setpriv">Lets children end with their parent.</param>
/// <param name="Setsid">Takes children out of the terminal's reach.</param>
/// <param name="Shell">Checks once whose child it is.</param>
/// <param name="Firmware">OVMF's code.</param>
/// <param name="Variables">OVMF's empty variables.</param>
internal sealed record HostTools(string Qemu, string Swtpm, string SwtpmSetup, string SwtpmLocalCa, string Setpriv, string Setsid, string Shell, string Firmware, string Variables)
{
    private static readonly (string File, string Package)[] Needed =
    [
        ("qemu-system-x86_64", "qemu-system-x86"), ("swtpm", "swtpm"), ("swtpm_setup", "swtpm-tools"), ("swtpm_localca", "swtpm-tools"),
        ("setpriv", "util-linux"), ("setsid", "util-linux"), ("sh", "dash"), ("OVMF_CODE_4M.fd", "ovmf"), ("OVMF_VARS_4M.fd", "ovmf"),
    ];

    private static readonly string[] FirmwareFolders = ["/usr/share/OVMF"];

    // A PATH may lack them where a service or an empty environment starts us.
    private static readonly string[] Always = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

    /// <summary>Finds all of them.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.ToolMissing"/>, with what is missing and the line that installs it.</exception>
    public static HostTools Find() => Find((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries).Concat(Always), FirmwareFolders);

    internal static HostTools Find(IEnumerable<string> programs, IEnumerable<string> firmware)
    {
        string[] folders = [.. programs], roms = [.. firmware];
        string?[] found = [.. Needed.Select(needed => (needed.File.EndsWith(".fd", StringComparison.Ordinal) ? roms : folders).Select(folder => Path.Combine(folder, needed.File)).FirstOrDefault(File.Exists))];
        (string File, string Package)[] missing = [.. Needed.Where((_, at) => found[at] is null)];
        if (missing.Length > 0)
        {
            throw new ImageException(ImageError.ToolMissing,
                $"To start machines this computer lacks {string.Join(", ", missing.Select(tool => tool.File))}. Install it: sudo apt-get install -y --no-install-recommends {string.Join(' ', missing.Select(tool => tool.Package).Distinct())}");
        }
        return new HostTools(found[0]!, found[1]!, found[2]!, found[3]!, found[4]!, found[5]!, found[6]!, found[7]!, found[8]!);
    }
}
