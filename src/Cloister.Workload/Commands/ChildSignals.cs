using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Cloister.Workload;

/// <summary>
/// Passes SIGTERM, SIGINT, SIGHUP and SIGQUIT on to a child instead of ending this process. It is there before the child
/// is: a signal that comes while the child starts is kept for it. A terminal sends its SIGINT and SIGQUIT to the child by
/// itself, so then these two are only kept from ending this process.
/// </summary>
[UnsupportedOSPlatform("windows")]
internal sealed partial class ChildSignals : IDisposable
{
    private const int Hup = 1, Int = 2, Quit = 3, Term = 15; // POSIX numbers, the same on Linux and macOS
    private readonly PosixSignalRegistration[] _registrations;
    private readonly Lock _gate = new();
    private readonly List<int> _kept = [];
    private int? _child;
    private volatile bool _asked;

    /// <summary>Starts keeping signals.</summary>
    public ChildSignals()
    {
        bool terminal = !Console.IsInputRedirected;
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Pass(context, Term)),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => Pass(context, Hup)),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Pass(context, terminal ? null : Int)),
            PosixSignalRegistration.Create(PosixSignal.SIGQUIT, context => Pass(context, terminal ? null : Quit)),
        ];
    }

    /// <summary>Passes what was kept, and from now on everything, to process <paramref name="child"/>.</summary>
    public void Attach(int child)
    {
        lock (_gate)
        {
            _child = child;
            foreach (int signal in _kept)
                Send(child, signal);
            _kept.Clear();
        }
    }

    /// <summary>Asks the child to end, unless a signal that does so reached this process already.</summary>
    public void Terminate()
    {
        if (!_asked)
            Pass(Term);
    }

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
    }

    private void Pass(PosixSignalContext context, int? signal)
    {
        context.Cancel = true;
        _asked = true;
        if (signal is { } number)
            Pass(number);
    }

    private void Pass(int signal)
    {
        lock (_gate)
        {
            if (_child is { } child)
                Send(child, signal);
            else
                _kept.Add(signal);
        }
    }

    private static void Send(int child, int signal)
    {
        const int NoSuchProcess = 3; // ESRCH: it ended in the meantime
        if (Kill(child, signal) != 0 && Marshal.GetLastPInvokeError() is var error and not NoSuchProcess)
            throw new Win32Exception(error);
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int process, int signal);
}
