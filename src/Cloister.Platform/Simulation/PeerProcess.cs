using System.Collections.Immutable;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using Cloister.Platform.Interop;
using Microsoft.Win32.SafeHandles;

namespace Cloister.Platform.Simulation;

/// <summary>What is read about a process before it is measured; read again afterwards, it must be the same.</summary>
internal sealed record PeerSnapshot(ulong StartTime, string Executable, string Root, string WorkingDirectory, ImmutableArray<string> CommandLine, ImmutableArray<string> Environment)
{
    /// <summary>The value of an environment variable that the process was started with, or null.</summary>
    public string? Variable(string name) => Environment.FirstOrDefault(entry => entry.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..];

    /// <summary>Whether both describe one process that still runs one program.</summary>
    public bool IsSame(PeerSnapshot other) => StartTime == other.StartTime && Executable == other.Executable && CommandLine.SequenceEqual(other.CommandLine, StringComparer.Ordinal);
}

/// <summary>
/// The process at the other end of a Unix socket, as the kernel names it. A process number may be given anew: from Linux 6.5 on a
/// handle of the process tells, before it the start time does.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class PeerProcess : IDisposable
{
    private const int MaximumText = 1 << 20;
    private const int StartTimeField = 22, FirstFieldAfterName = 3; // proc_pid_stat(5)
    private static readonly UTF8Encoding StrictUtf8 = new(false, true);
    private readonly SafeFileHandle? _handle;

    private PeerProcess(int id, SafeFileHandle? handle) => (Id, _handle) = (id, handle);

    /// <summary>Its number.</summary>
    public int Id { get; }

    /// <summary>The process that connected a socket.</summary>
    /// <exception cref="PlatformException">The kernel does not name it.</exception>
    public static PeerProcess Of(Socket socket)
    {
        int id = LinuxInterop.PeerProcessId(socket);
        return id > 0
            ? new PeerProcess(id, LinuxInterop.PeerProcessHandle(socket))
            : throw new PlatformException(PlatformError.PeerNotMeasurable, "The process lives in another process namespace and cannot be seen from here.");
    }

    /// <summary>Reads what /proc says of it.</summary>
    /// <exception cref="PlatformException">It ended, or may not be looked at.</exception>
    public PeerSnapshot Read()
    {
        string folder = $"/proc/{Id}";
        try
        {
            RequireAlive();
            ulong started = StartTime(File.ReadAllText($"{folder}/stat"));
            string executable = new FileInfo($"{folder}/exe").LinkTarget ?? throw new FileNotFoundException("it has no executable");
            string workingDirectory = new FileInfo($"{folder}/cwd").LinkTarget ?? "/";
            // Paths are read under the process's own root: in a container the same path names another file.
            var snapshot = new PeerSnapshot(started, executable, $"{folder}/root", workingDirectory, Strings($"{folder}/cmdline"), Strings($"{folder}/environ"));
            RequireAlive(); // what was read belongs to the process that connected
            return snapshot;
        }
        catch (DecoderFallbackException)
        {
            throw new PlatformException(PlatformError.PeerNotMeasurable, "The process has a command line or environment that is not UTF-8.");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new PlatformException(PlatformError.PeerNotMeasurable, $"The process cannot be looked at ({unreadable.Message}). It ended, or belongs to another user.", unreadable);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _handle?.Dispose();

    private void RequireAlive()
    {
        if (_handle is null) return;
        string information = File.ReadAllText($"/proc/self/fdinfo/{_handle.DangerousGetHandle()}");
        bool alive = information.Split('\n').Any(line => line.StartsWith("Pid:", StringComparison.Ordinal)
            && int.TryParse(line.AsSpan("Pid:".Length), CultureInfo.InvariantCulture, out int id) && id == Id);
        if (!alive) throw new PlatformException(PlatformError.PeerChanged, "The process that asked has ended.");
    }

    private static ulong StartTime(string stat)
    {
        // The second field, the name in parentheses, may hold spaces and parentheses of its own.
        string[] fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        int at = StartTimeField - FirstFieldAfterName;
        return fields.Length > at && ulong.TryParse(fields[at], CultureInfo.InvariantCulture, out ulong started)
            ? started
            : throw new PlatformException(PlatformError.PeerNotMeasurable, "The process's start time cannot be read.");
    }

    private static ImmutableArray<string> Strings(string path)
    {
        using FileStream file = File.OpenRead(path);
        var content = new MemoryStream();
        byte[] buffer = new byte[16 << 10];
        while (file.Read(buffer) is > 0 and int read)
        {
            if (content.Length + read > MaximumText) throw new PlatformException(PlatformError.PeerNotMeasurable, $"The process's command line or environment is longer than {MaximumText} bytes.");
            content.Write(buffer, 0, read);
        }
        string text = StrictUtf8.GetString(content.GetBuffer().AsSpan(0, (int)content.Length));
        if (text.EndsWith('\0')) text = text[..^1];
        return text.Length == 0 ? [] : [.. text.Split('\0')];
    }
}
