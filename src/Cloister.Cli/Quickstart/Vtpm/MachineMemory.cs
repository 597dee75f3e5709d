using System.Globalization;

namespace Cloister.Cli.Quickstart.Vtpm;

/// <summary>Whether this host has memory for the story's machines.</summary>
internal static class MachineMemory
{
    // Beside its own memory a machine costs its host QEMU, the firmware and the TPM.
    private const int Overhead = 256;

    /// <summary>Whether <paramref name="machines"/> machines fit; if not, <paramref name="shortage"/> says how much is missing.</summary>
    public static bool IsEnoughFor(int machines, out string shortage)
    {
        long need = machines * (StoryImages.Memory + Overhead), available = Available();
        shortage = string.Create(CultureInfo.InvariantCulture, $"{machines} machines need {need} MiB of memory, and {available} MiB are free.");
        return available >= need;
    }

    // MiB. Where the kernel does not say, nothing is known to be short.
    private static long Available()
    {
        const string File = "/proc/meminfo", Line = "MemAvailable:";
        if (!System.IO.File.Exists(File)) return long.MaxValue;
        string? line = System.IO.File.ReadLines(File).FirstOrDefault(one => one.StartsWith(Line, StringComparison.Ordinal));
        return line is null ? long.MaxValue : long.Parse(line[Line.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture) / 1024;
    }
}
