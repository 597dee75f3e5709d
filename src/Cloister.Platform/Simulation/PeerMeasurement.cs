using System.Collections.Immutable;
using System.Runtime.Versioning;

namespace Cloister.Platform.Simulation;

/// <summary>Measures the process at the other end of a socket.</summary>
[SupportedOSPlatform("linux")]
internal static class PeerMeasurement
{
    /// <summary>Variables that load other code into a program than its folder holds.</summary>
    private static readonly ImmutableArray<string> CodeLoading = ["LD_PRELOAD", "LD_AUDIT", "DOTNET_STARTUP_HOOKS", "CORECLR_ENABLE_PROFILING"];

    /// <summary>The measurement and the executable's path.</summary>
    /// <exception cref="PlatformException">The process cannot be measured, or changed meanwhile.</exception>
    public static (byte[] Measurement, string Executable) Of(PeerProcess peer, CancellationToken cancellation)
    {
        PeerSnapshot before = peer.Read();
        byte[] measurement = Measure(before, cancellation);
        if (!peer.Read().IsSame(before)) throw new PlatformException(PlatformError.PeerChanged, "The process was replaced while it was measured.");
        return (measurement, before.Executable);
    }

    private static byte[] Measure(PeerSnapshot process, CancellationToken cancellation)
    {
        string executable = process.Executable;
        if (executable.EndsWith(" (deleted)", StringComparison.Ordinal))
            throw NotMeasurable("its executable was deleted or replaced after it started. Start it again");
        if (Path.GetFileName(executable) == "dotnet")
            throw NotMeasurable("it runs inside the shared `dotnet` host, whose folder says nothing about it. Start the program's own executable");
        if (CodeLoading.FirstOrDefault(name => process.Variable(name) is { Length: > 0 } and not "0") is { } loading)
            throw NotMeasurable($"{loading} is set, which loads code from elsewhere into it. Unset it");
        string folder = process.Root + Path.GetDirectoryName(executable);
        return WorkloadCommand.Of(process.CommandLine) is not { } command
            ? SimulationMeasurement.OfFolder(folder, cancellation)
            : SimulationMeasurement.OfCommand(
                folder,
                CommandLocator.Find(command[0], process.WorkingDirectory, process.Variable("PATH"), process.Root),
                command.RemoveAt(0),
                cancellation);
    }

    private static PlatformException NotMeasurable(string reason) => new(PlatformError.PeerNotMeasurable, $"The process cannot be measured: {reason}.");
}
