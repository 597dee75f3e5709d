using System.Collections.Immutable;

namespace Cloister.Platform.Simulation;

/// <summary>The command behind <c>workload run ... -- command arguments</c>, which is measured together with the program that starts it.</summary>
internal static class WorkloadCommand
{
    /// <summary>The command and its arguments; null if the command line starts none.</summary>
    /// <exception cref="PlatformException">A command may be started that this command line does not show.</exception>
    public static ImmutableArray<string>? Of(ImmutableArray<string> commandLine)
    {
        ImmutableArray<string> arguments = commandLine.IsEmpty ? [] : commandLine.RemoveAt(0);
        int end = arguments.IndexOf("--");
        ImmutableArray<string> options = end < 0 ? arguments : arguments[..end];
        if (options.Any(option => option.StartsWith('@')))
            throw new PlatformException(PlatformError.PeerNotMeasurable, "The process cannot be measured: a response file (@...) hides its arguments. Write them out.");
        int workload = options.IndexOf("workload");
        if (workload < 0 || options.IndexOf("run", workload + 1) < 0) return null;
        return end >= 0 && end + 1 < arguments.Length
            ? arguments[(end + 1)..]
            : throw new PlatformException(PlatformError.PeerNotMeasurable, "The process cannot be measured: `workload run` names its command after `--`.");
    }
}
