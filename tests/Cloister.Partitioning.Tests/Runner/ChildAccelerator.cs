using System.Diagnostics;
using Cloister.Partitioning.Runner;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Partitioning.Tests.Runner;

/// <summary>This assembly as a program: an accelerator in a process of its own, for tests that kill it.</summary>
internal static class ChildAccelerator
{
    private const string Ready = "listening";

    public static async Task<Process> StartAsync(AcceleratorAddress address)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "Cloister.Partitioning.Tests"), [address.ToString()]) { RedirectStandardOutput = true, RedirectStandardError = true };
        Process process = Process.Start(start)!;
        if (await process.StandardOutput.ReadLineAsync().WaitAsync(RunningHost.Patience) != Ready)
            throw new InvalidOperationException("The accelerator did not start: " + await process.StandardError.ReadToEndAsync());
        return process;
    }

    /// <summary>An accelerator at the address that is given.</summary>
    public static Task Main(string[] arguments) => AcceleratorHost.RunAsync(AcceleratorAddress.Parse(arguments[0]), new AcceleratorOptions { Threads = 1 }, NullLogger.Instance, CancellationToken.None, _ => Console.WriteLine(Ready));
}
