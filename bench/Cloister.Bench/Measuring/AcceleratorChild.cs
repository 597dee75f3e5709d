using System.Diagnostics;
using Cloister.Partitioning.Runner;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cloister.Bench;

/// <summary>An accelerator of one thread in a process of its own: <c>accelerate ADDRESS</c>, until its input ends.</summary>
internal sealed class AcceleratorChild : IDisposable
{
    private readonly Process _process;

    private AcceleratorChild(Process process, AcceleratorAddress address) => (_process, Address) = (process, address);

    /// <summary>Where it is reached.</summary>
    public AcceleratorAddress Address { get; }

    /// <summary>Serves, in the child.</summary>
    public static async Task<int> ServeAsync(string address)
    {
        using var ended = new CancellationTokenSource();
        Task serving = AcceleratorHost.RunAsync(AcceleratorAddress.Parse(address), new AcceleratorOptions { Threads = 1 }, NullLogger.Instance, ended.Token, reached => Console.WriteLine(reached));
        await Console.In.ReadLineAsync(CancellationToken.None);
        await ended.CancelAsync();
        await serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return 0;
    }

    /// <summary>Starts the child and waits until it listens.</summary>
    public static async Task<AcceleratorChild> StartAsync(AcceleratorAddress address, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") start.ArgumentList.Add(typeof(AcceleratorChild).Assembly.Location);
        start.ArgumentList.Add("accelerate");
        start.ArgumentList.Add(address.ToString());
        Process process = Process.Start(start)!;
        return AcceleratorAddress.TryParse(await process.StandardOutput.ReadLineAsync(cancellation), out AcceleratorAddress? reached)
            ? new AcceleratorChild(process, reached)
            : throw new InvalidOperationException("The accelerator did not start.");
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
