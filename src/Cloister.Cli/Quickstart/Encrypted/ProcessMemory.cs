using System.Globalization;
using Cloister.Cli.CommandLine;
using Microsoft.Win32.SafeHandles;

namespace Cloister.Cli.Quickstart.Encrypted;

/// <summary>All that another process holds in memory, as Linux shows it to the user who owns the process (proc(5): maps, mem).</summary>
internal sealed class ProcessMemory : IDisposable
{
    private const int Part = 4 << 20;
    private readonly int _process;
    private readonly SafeFileHandle _memory;

    private ProcessMemory(int process, SafeFileHandle memory) => (_process, _memory) = (process, memory);

    /// <summary>Opens a process's memory; null, with the reason, where the system does not let this user read it.</summary>
    public static ProcessMemory? Open(int process, out string? refusal)
    {
        refusal = null;
        if (!OperatingSystem.IsLinux())
        {
            refusal = "only Linux shows a process's memory as a file";
            return null;
        }
        try
        {
            return new ProcessMemory(process, File.OpenHandle($"/proc/{process}/mem"));
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            refusal = $"{exception.Message} (kernel.yama.ptrace_scope above 1, or a container without ptrace, forbids it)";
            return null;
        }
    }

    /// <summary>Searches every page that can be read.</summary>
    /// <returns>How many bytes were searched.</returns>
    public long Search(TraceSearch search, ISet<Trace> found, CancellationToken cancellation)
    {
        byte[] buffer = new byte[Part + search.Longest];
        long searched = 0;
        foreach ((long start, long end) in ReadableRegions())
        {
            // The tail of one part is searched again with the next: a trace may lie across both.
            int kept = 0;
            for (long at = start; at < end;)
            {
                cancellation.ThrowIfCancellationRequested();
                int read = Read(buffer.AsSpan(kept, (int)Math.Min(Part, end - at)), at);
                if (read <= 0)
                    break; // unmapped since, or a device's page
                search.Scan(buffer.AsSpan(0, kept + read), found);
                (at, searched) = (at + read, searched + read);
                int keep = Math.Min(search.Longest - 1, kept + read);
                buffer.AsSpan(kept + read - keep, keep).CopyTo(buffer);
                kept = keep;
            }
        }
        return searched;
    }

    public void Dispose() => _memory.Dispose();

    private int Read(Span<byte> destination, long at)
    {
        try
        {
            return RandomAccess.Read(_memory, destination, at);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private List<(long Start, long End)> ReadableRegions()
    {
        var regions = new List<(long, long)>();
        try
        {
            foreach (string line in File.ReadLines($"/proc/{_process}/maps"))
            {
                // address-address permissions offset device inode path
                string[] fields = line.Split(' ', 3);
                string[] ends = fields[0].Split('-');
                if (fields[1][0] == 'r' && Address(ends[0]) is { } start && Address(ends[1]) is { } end)
                    regions.Add((start, end));
            }
        }
        catch (IOException exception)
        {
            throw new CommandException(ExitCode.Failure, $"The server's process {_process} ended before its memory was searched.", exception);
        }
        return regions;
    }

    /// <summary>Null for the kernel's own page above 2^63.</summary>
    private static long? Address(string text) => ulong.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture) is <= long.MaxValue and var address ? (long)address : null;
}
