using System.Globalization;

namespace Cloister.Images.Machines;

/// <summary>Which process it is: its number together with when it started, for numbers are given again.</summary>
internal static class HostProcess
{
    /// <summary>When a process started, in clock ticks after boot; null if there is none of that number.</summary>
    public static long? StartOf(int pid)
    {
        try
        {
            string stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : long.Parse(fields[19], CultureInfo.InvariantCulture); // a zombie runs no more
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>This boot of this computer.</summary>
    public static string Boot() => File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    /// <summary>Whether the supervisor of the record lives.</summary>
    public static bool Lives(MachineRecord record) => record.HostBoot == Boot() && StartOf(record.Pid) == record.PidStarted;
}
