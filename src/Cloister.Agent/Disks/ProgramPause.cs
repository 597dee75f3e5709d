using System.Globalization;
using System.Runtime.InteropServices;
using Cloister.Agent.Interop;
using Cloister.Images;

namespace Cloister.Agent.Disks;

/// <summary>
/// Every program of the machine stands still while this lives, so that folders are committed as they were at one moment: what a program finds
/// after a start is what it would find after a power cut.
/// </summary>
internal sealed class ProgramPause : IDisposable
{
    private const int Everybody = -1, Stop = 19, Continue = 18; // SIGSTOP, SIGCONT
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(30), s_between = TimeSpan.FromMilliseconds(5);

    private ProgramPause()
    {
    }

    /// <summary>Stops them. Only process 1 is not among them, so nobody else may ask.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.DiskFailed"/>: one of them does not stand still.</exception>
    public static async Task<IDisposable> BeginAsync(TimeProvider time, CancellationToken cancellation)
    {
        if (Environment.ProcessId != 1)
            throw new InvalidOperationException("Only process 1 of a machine stops all others.");
        var pause = new ProgramPause();
        long began = time.GetTimestamp();
        try
        {
            while (true)
            {
                Signal(Stop);
                if (AllStand("/proc")) return pause;
                if (time.GetElapsedTime(began) > s_longest)
                    throw new ImageException(ImageError.DiskFailed, $"A program of the machine did not stand still in {s_longest.TotalSeconds:0} seconds, so its disks were not committed.");
                await Task.Delay(s_between, time, cancellation);
            }
        }
        catch
        {
            pause.Dispose();
            throw;
        }
    }

    /// <summary>Lets them go on.</summary>
    public void Dispose() => Signal(Continue);

    /// <summary>Whether every process of a user but the first is stopped or ended.</summary>
    internal static bool AllStand(string proc)
    {
        foreach (string folder in Directory.EnumerateDirectories(proc))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int process) || process == 1)
                continue;
            try
            {
                // A thread of a stopped process may still be at work inside a call.
                foreach (string thread in Directory.EnumerateDirectories(Path.Combine(folder, "task")))
                    if (!Stands(File.ReadAllText(Path.Combine(thread, "stat")))) return false;
            }
            catch (IOException)
            {
                continue; // ended in between
            }
        }
        return true;
    }

    // proc(5): "pid (name) state parent ... flags"; the name may hold anything, parentheses included.
    internal static bool Stands(string stat)
    {
        const uint KernelThread = 0x0020_0000; // PF_KTHREAD
        string[] fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 6 && (fields[0] is "T" or "t" or "Z" or "X"
            || (uint.TryParse(fields[6], NumberStyles.None, CultureInfo.InvariantCulture, out uint flags) && (flags & KernelThread) != 0));
    }

    private static void Signal(int signal)
    {
        // Where nobody else is there, nobody takes it.
        if (ProcessCalls.kill(Everybody, signal) != 0 && Marshal.GetLastPInvokeError() is var number and not ProcessCalls.NoSuchProcess)
            throw new KernelException("kill", "Every program of the machine", number);
    }
}
