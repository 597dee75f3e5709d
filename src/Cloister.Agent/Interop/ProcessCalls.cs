using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cloister.Agent.Interop;

/// <summary>posix_spawn(3), waitpid(2), kill(2), reboot(2), prctl(2): what process 1 does with others and with itself. Constants are those of Linux on x64.</summary>
internal static unsafe partial class ProcessCalls
{
    public const int Kill = 9, Terminate = 15;
    public const int NotPermitted = 1, NoSuchProcess = 3; // EPERM, ESRCH
    public const int CloseOnExec = 0x80000; // O_CLOEXEC
    public const int SignalDefaults = 0x04, SignalMask = 0x08, NewSession = 0x80; // POSIX_SPAWN_SETSIGDEF, _SETSIGMASK, _SETSID
    public const uint PowerOff = 0x4321FEDC; // LINUX_REBOOT_CMD_POWER_OFF
    public const int SetDumpable = 4, SubReaper = 36; // PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER
    public const int CoreLimit = 4, FileLimit = 7; // RLIMIT_CORE, RLIMIT_NOFILE

    /// <summary>Bytes that glibc's posix_spawnattr_t (336), posix_spawn_file_actions_t (80) and sigset_t (128) fit into.</summary>
    public const int OpaqueSize = 512;

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int posix_spawn(out int process, string path, byte* actions, byte* attributes, byte** arguments, byte** environment);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_init(byte* actions);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_destroy(byte* actions);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_adddup2(byte* actions, SafeFileHandle from, int to);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int posix_spawn_file_actions_addchdir_np(byte* actions, string path);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_init(byte* attributes);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_destroy(byte* attributes);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_setflags(byte* attributes, short flags);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_setsigdefault(byte* attributes, byte* signals);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_setsigmask(byte* attributes, byte* signals);

    [LibraryImport("libc")]
    public static partial int sigfillset(byte* signals);

    [LibraryImport("libc")]
    public static partial int sigemptyset(byte* signals);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int pipe2(Span<int> ends, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int waitpid(int process, out int status, int options);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int kill(int process, int signal);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int prctl(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int setrlimit(int resource, ReadOnlySpan<ulong> limits);

    [LibraryImport("libc")]
    public static partial void sync();

    [LibraryImport("libc", SetLastError = true)]
    public static partial int reboot(uint command);
}
