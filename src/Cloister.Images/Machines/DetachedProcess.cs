using System.Diagnostics;
using System.Runtime.Versioning;

namespace Cloister.Images.Machines;

/// <summary>A supervisor in a session of its own: no terminal's hang-up and no Ctrl+C reaches it.</summary>
[SupportedOSPlatform("linux")]
public static class DetachedProcess
{
    /// <summary>Starts <paramref name="program"/>; its standard input and outputs are pipes to this process, nothing else is shared.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.ToolMissing"/>: something that machines need is missing.</exception>
    public static Process Start(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(HostTools.Find().Setsid) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(program);
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }
}
