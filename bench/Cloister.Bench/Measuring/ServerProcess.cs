using System.Diagnostics;
using System.Globalization;

namespace Cloister.Bench;

/// <summary>A server in a process of its own, which prints its ports on one line and ends when its input is closed.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;

    private ServerProcess(Process process, int[] ports) => (_process, Ports) = (process, ports);

    public int[] Ports { get; }

    public int Id => _process.Id;

    public TimeSpan CpuTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Ours: see <see cref="ServeChild"/>.</summary>
    public static Task<ServerProcess> StartOursAsync(CancellationToken cancellation, params string[] arguments) =>
        StartAsync(Environment.ProcessPath!, ["serve", .. arguments], cancellation);

    /// <summary>A peer on Node.</summary>
    public static Task<ServerProcess> StartNodeAsync(string script, CancellationToken cancellation, params string[] arguments) =>
        StartAsync("node", [Path.Combine(BenchContext.NodeFolder, script), .. arguments], cancellation);

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    /// <summary>Any program that keeps to this.</summary>
    public static async Task<ServerProcess> StartAsync(string program, string[] arguments, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardInput = true };
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        Process process = Process.Start(start)!;
        string ports = await process.StandardOutput.ReadLineAsync(cancellation) ?? throw new InvalidOperationException($"{program} ended before it served.");
        return new ServerProcess(process, [.. ports.Split(' ').Select(port => int.Parse(port, CultureInfo.InvariantCulture))]);
    }
}
