using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Cloister.Images.Machines;

/// <summary>A child that cannot outlive this process, even when this process is killed.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private const int WordsLimit = 16 << 10;

    // setpriv asks the kernel to kill the child when its parent dies; a parent that died before that is seen by the shell.
    // setsid keeps the terminal's Ctrl+C from it: its end is the supervisor's to decide.
    private const string StillOurs = "[ \"$PPID\" = \"$0\" ] || exit 1; exec \"$@\"";

    private readonly Process _process;
    private readonly StringBuilder _words = new();
    private readonly TaskCompletionSource _spoke = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released;
    private readonly Task _listening;
    private bool _disposed;

    private ChildProcess(Process process, string name, TaskCompletionSource released)
    {
        (_process, Name, _released) = (process, name, released);
        _process.StandardInput.Close();
        _listening = Task.WhenAll(ListenAsync(_process.StandardOutput, _spoke), ListenAsync(_process.StandardError, null));
    }

    public string Name { get; }

    public int Id => _process.Id;

    public bool HasEnded => _process.HasExited;

    /// <summary>It wrote something to its standard output.</summary>
    public Task Spoke => _spoke.Task;

    /// <summary>The last that it wrote to its outputs.</summary>
    public string Words
    {
        get
        {
            lock (_words)
                return _words.ToString().Trim();
        }
    }

    /// <summary>
    /// Starts a child from a thread of its own, which waits until the child is disposed of: the kernel takes the end of the thread that
    /// started a child for its parent's death, and threads of the pool end whenever they are idle.
    /// </summary>
    public static Task<ChildProcess> StartAsync(HostTools tools, string folder, string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(tools.Setpriv) { WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])["--pdeathsig", "KILL", "--", tools.Setsid, tools.Shell, "-c", StillOurs, Environment.ProcessId.ToString(CultureInfo.InvariantCulture), program, .. arguments])
            start.ArgumentList.Add(argument);
        var started = new TaskCompletionSource<ChildProcess>(TaskCreationOptions.RunContinuationsAsynchronously);
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => Keep(start, Path.GetFileName(program), started, released)) { IsBackground = true, Name = "parent of " + Path.GetFileName(program) }.Start();
        return started.Task;
    }

    /// <summary>Runs a short-lived program to its end.</summary>
    public static async Task<(int Code, string Words)> RunAsync(HostTools tools, string folder, string program, IEnumerable<string> arguments, CancellationToken cancellation)
    {
        await using ChildProcess child = await StartAsync(tools, folder, program, arguments);
        return (await child.EndAsync(cancellation), child.Words);
    }

    /// <summary>Waits for its end; its exit code.</summary>
    public async Task<int> EndAsync(CancellationToken cancellation)
    {
        await _process.WaitForExitAsync(cancellation);
        await _listening.WaitAsync(cancellation);
        return _process.ExitCode;
    }

    /// <summary>Ends it at once.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true))
            return;
        await KillAsync();
        await _listening;
        _released.TrySetResult();
    }

    private static void Keep(ProcessStartInfo start, string name, TaskCompletionSource<ChildProcess> started, TaskCompletionSource released)
    {
        try
        {
            started.SetResult(new ChildProcess(Process.Start(start)!, name, released));
        }
        catch (Exception refused) when (refused is System.ComponentModel.Win32Exception or IOException)
        {
            started.SetException(new ImageException(ImageError.ToolMissing, $"'{name}' could not be started: {refused.Message}", refused));
            return;
        }
        using var end = new ManualResetEventSlim();
        released.Task.ContinueWith(_ => end.Set(), TaskScheduler.Default);
        end.Wait();
    }

    private async Task ListenAsync(StreamReader output, TaskCompletionSource? spoke)
    {
        char[] buffer = new char[1024];
        while (await output.ReadAsync(buffer) is > 0 and var count)
        {
            spoke?.TrySetResult();
            lock (_words)
            {
                _words.Append(buffer, 0, count);
                if (_words.Length > WordsLimit)
                    _words.Remove(0, _words.Length - WordsLimit);
            }
        }
    }
}
