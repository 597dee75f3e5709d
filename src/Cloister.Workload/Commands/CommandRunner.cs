using System.ComponentModel;
using System.Diagnostics;
using Cloister.Platform;
using Cloister.Platform.Simulation;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Workload;

/// <summary>
/// Runs any program as an activated workload: writes the manifest's files, sets its environment and arguments, starts
/// the program with this process's standard streams, passes signals on and answers its exit code. MarbleRun's premain.
/// </summary>
public static class CommandRunner
{
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(10);

    /// <summary>Runs <paramref name="command"/> until it ends.</summary>
    /// <param name="activation">What the coordinator granted.</param>
    /// <param name="command">The program that was measured: a path, or a name searched in PATH.</param>
    /// <param name="arguments">Its arguments, used unless the manifest gives an argument vector. The vector's first element names the program and does not choose it.</param>
    /// <param name="logger">Where starts and ends are written; never a value.</param>
    /// <param name="time">The clock of the grace period; the system's if null.</param>
    /// <param name="cancellation">Asks the program to end (SIGTERM), and kills it ten seconds later.</param>
    /// <returns>The program's exit code; 128 plus the signal's number if a signal ended it.</returns>
    /// <exception cref="WorkloadException">A file, variable or the program itself cannot be used (3xx).</exception>
    public static async Task<int> RunAsync(Activation activation, string command, IReadOnlyList<string> arguments,
        ILogger? logger = null, TimeProvider? time = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(activation);
        ArgumentException.ThrowIfNullOrEmpty(command);
        ArgumentNullException.ThrowIfNull(arguments);
        logger ??= NullLogger.Instance;

        ParameterFiles.Write(activation.Parameters.Files, Environment.CurrentDirectory);
        ProcessStartInfo start = StartInfo(activation, command, arguments);
        using ChildSignals? signals = OperatingSystem.IsWindows() ? null : new ChildSignals();
        using Process child = Start(start);
        if (!OperatingSystem.IsWindows())
            signals?.Attach(child.Id);
        logger.CommandStarted(command, child.Id);
        int code = await WaitAsync(child, signals, time ?? TimeProvider.System, cancellation);
        logger.CommandEnded(command, code);
        return code;
    }

    private static ProcessStartInfo StartInfo(Activation activation, string command, IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(Find(command)) { UseShellExecute = false };
        IEnumerable<string> chosen = activation.Parameters.Arguments is { Count: > 0 } vector ? vector.Skip(1) : arguments;
        foreach (string argument in chosen)
        {
            if (argument.Contains('\0', StringComparison.Ordinal))
                throw new WorkloadException(WorkloadError.ParameterText, "An argument of the command holds a zero byte.");
            start.ArgumentList.Add(argument);
        }
        start.Environment.Clear();
        foreach (var (name, value) in CommandEnvironment.Build(activation, Environment.GetEnvironmentVariable))
            start.Environment[name] = value;
        return start;
    }

    // The same search as the measurement's, so that what was measured is what is started.
    private static string Find(string command)
    {
        try
        {
            return CommandLocator.Find(command, Environment.CurrentDirectory, Environment.GetEnvironmentVariable("PATH"));
        }
        catch (PlatformException e)
        {
            throw new WorkloadException(WorkloadError.CommandStart, e.Message, e);
        }
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start) ?? throw new InvalidOperationException("No process was started.");
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException)
        {
            throw new WorkloadException(WorkloadError.CommandStart, $"The command '{start.FileName}' could not be started: {e.Message}", e);
        }
    }

    private static async Task<int> WaitAsync(Process child, ChildSignals? signals, TimeProvider time, CancellationToken cancellation)
    {
        try
        {
            await child.WaitForExitAsync(cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            if (OperatingSystem.IsWindows() || signals is null)
                child.Kill(entireProcessTree: true);
            else
                signals.Terminate();
            using var grace = new CancellationTokenSource(s_grace, time);
            try
            {
                await child.WaitForExitAsync(grace.Token);
            }
            catch (OperationCanceledException)
            {
                child.Kill(entireProcessTree: true);
                await child.WaitForExitAsync(CancellationToken.None);
            }
        }
        return child.ExitCode;
    }
}
