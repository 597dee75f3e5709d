using System.Runtime.InteropServices;
using Cloister.Agent.Interop;
using Microsoft.Win32.SafeHandles;

namespace Cloister.Agent.Programs;

/// <summary>
/// All children of process 1: those it started, and orphans that the kernel gave it. One thread waits in the kernel for whichever ends next:
/// the runtime's own word of SIGCHLD does not come in process 1 of a machine. Nothing else in this process may start children by
/// <see cref="System.Diagnostics.Process"/>: the runtime would wait for what is reaped here.
/// </summary>
internal sealed class Children : IDisposable
{
    private const int Interrupted = 4, Any = -1; // EINTR

    private readonly Lock _gate = new();
    private readonly Dictionary<int, TaskCompletionSource<int>> _started = [];
    private readonly AutoResetEvent _more = new(false);
    private bool _ended;

    /// <summary>Begins to reap, in a process whose children are all this object's.</summary>
    public Children() => new Thread(Reap) { IsBackground = true, Name = "reaper" }.Start();

    /// <summary>Starts a program and leads its standard streams as asked.</summary>
    /// <exception cref="Cloister.Images.ImageException">It could not be started.</exception>
    public RunningProgram Start(ProgramStart start, ProgramEnvironment environment)
    {
        using SafeFileHandle nothing = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        var (inputRead, inputWrite) = start.Input ? Pipe() : default;
        var (outputRead, outputWrite) = start.Output ? Pipe() : default;
        var (errorRead, errorWrite) = start.Output ? Pipe() : default;
        using SafeFileHandle? ownInput = inputRead, ownOutput = outputWrite, ownError = errorWrite;
        try
        {
            // Under the gate: nobody reaps a child before it is known whose it is.
            lock (_gate)
            {
                int process = Spawning.Start(start, environment, ownInput ?? nothing, ownOutput ?? nothing, ownError ?? nothing);
                var ended = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
                _started.Add(process, ended);
                _more.Set();
                return new RunningProgram(process, ended.Task, inputWrite, outputRead, errorRead);
            }
        }
        catch
        {
            inputWrite?.Dispose();
            outputRead?.Dispose();
            errorRead?.Dispose();
            throw;
        }
    }

    /// <summary>Sends a signal to a program and everything in its group, also when it ended itself and left others behind; where nobody is left, nobody takes it.</summary>
    public static void Signal(RunningProgram program, int signal)
    {
        if (ProcessCalls.kill(-program.Id, signal) != 0 && Marshal.GetLastPInvokeError() is var number and not ProcessCalls.NoSuchProcess)
            throw new KernelException("kill", $"Process {program.Id}", number);
    }

    /// <summary>Nobody reaps any more, once the children that are left have ended.</summary>
    public void Dispose()
    {
        Volatile.Write(ref _ended, true);
        _more.Set();
    }

    // While there is a child, an orphan comes to be waited for too; without any, there is none to come.
    private void Reap()
    {
        while (!Volatile.Read(ref _ended))
        {
            int process = ProcessCalls.waitpid(Any, out int status, 0);
            if (process < 0)
            {
                if (Marshal.GetLastPInvokeError() != Interrupted) _more.WaitOne(); // ECHILD
                continue;
            }
            lock (_gate)
                End(process, status);
        }
    }

    // wait(2): the lower seven bits are the signal that ended it, the next byte its exit code.
    private void End(int process, int status)
    {
        int signal = status & 0x7F;
        if (_started.Remove(process, out TaskCompletionSource<int>? ended))
            ended.SetResult(signal == 0 ? (status >> 8) & 0xFF : 128 + signal);
    }

    private static (SafeFileHandle Read, SafeFileHandle Write) Pipe()
    {
        Span<int> ends = stackalloc int[2];
        KernelException.Check(ProcessCalls.pipe2(ends, ProcessCalls.CloseOnExec), "pipe2", "The streams of a program");
        return (new SafeFileHandle(ends[0], ownsHandle: true), new SafeFileHandle(ends[1], ownsHandle: true));
    }
}
