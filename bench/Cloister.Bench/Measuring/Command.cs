using System.Diagnostics;

namespace Cloister.Bench;

/// <summary>A command run to its end.</summary>
/// <param name="Seconds">Its time on the clock.</param>
/// <param name="Output">What it wrote.</param>
internal sealed record Command(double Seconds, string Output)
{
    /// <summary>The launcher of the house, which builds what changed first.</summary>
    public static string Cloister => Path.Combine(BenchContext.Root, "cloister");

    public static async Task<Command> RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        using Process process = Start(program, arguments);
        Task<string> errors = process.StandardError.ReadToEndAsync(cancellation);
        string output = await process.StandardOutput.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return process.ExitCode == 0
            ? new Command(Stopwatch.GetElapsedTime(start).TotalSeconds, output)
            : throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {await errors}");
    }

    public static Process Start(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        return Process.Start(start) ?? throw new InvalidOperationException($"{program} could not be started.");
    }
}
