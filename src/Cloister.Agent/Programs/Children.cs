using System.Runtime.InteropServices;
using Cloister.Agent.Interop;
using Microsoft.Win32.SafeHandles;

namespace Cloister.Agent.Programs;

/// <summary>
/// All children of process 1: those it started, and orphans that the kernel gave it. Both are reaped as they end. Nothing else in this
/// process may start children by <see cref="System.Diagnostics.Process"/>: the runtime would wait for what is reaped here.
/// </summary>
internal sealed class Children : IDisposable
{
    private const int Interrupted = 4; // EINTR

    private readonly Lock _gate = new();
    private readonly Dictionary<int, TaskCompletionSource<int>> _started = [];
    private readonly PosixSignalRegistration _signal;
    private readonly bool _foreign;

    /// <summary>Begins to reap.</summary>
    /// <param name="foreign">Whether children that others started are reaped too: in process 1, and nowhere else.</param>
    public Children(bool foreign)
    {
        _foreign = foreign;
        _signal = PosixSignalRegistration.Create(PosixSignal.SIGCHLD, context =>
        {
            context.Cancel = true; // the runtime's own reaping
            Reap();
        });
    }

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
                new Thread(() => Await(process)) { IsBackground = true, Name = "wait" }.Start();
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

    public void Dispose() => _signal.Dispose();

    // A thread a program, blocked in the kernel: process 1 of a machine is not told of SIGCHLD reliably.
    private void Await(int process)
    {
        int found, status;
        do
            found = ProcessCalls.waitpid(process, out status, 0);
        while (found < 0 && Marshal.GetLastPInvokeError() == Interrupted);
        if (found != process) return; // it was reaped with the orphans
        lock (_gate)
            End(process, status);
    }

    private void Reap()
    {
        lock (_gate)
        {
            if (_foreign)
            {
                while (ProcessCalls.waitpid(-1, out int status, ProcessCalls.NoHang) is var process and > 0)
                    End(process, status);
                return;
            }
            foreach (int process in _started.Keys.ToArray())
            {
                if (ProcessCalls.waitpid(process, out int status, ProcessCalls.NoHang) == process)
                    End(process, status);
            }
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
