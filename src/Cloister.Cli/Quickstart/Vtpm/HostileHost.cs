using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Quickstart.Vtpm;

/// <summary>What the operator of a host can do to a machine's start: a program in QEMU's place that changes the line and starts QEMU.</summary>
internal static class HostileHost
{
    private const string Qemu = "qemu-system-x86_64";

    /// <summary>An environment in which machines start with <paramref name="change"/>, a bash fragment over the array <c>args</c>.</summary>
    public static async Task<IReadOnlyDictionary<string, string>> CreateAsync(string folder, string change, CancellationToken cancellation)
    {
        string path = Environment.GetEnvironmentVariable("PATH") ?? "", wrapper = Path.Combine(Directory.CreateDirectory(folder).FullName, Qemu);
        string real = path.Split(':').Select(one => Path.Combine(one, Qemu)).FirstOrDefault(File.Exists)
            ?? throw new CommandException(ExitCode.MissingRequirement, $"{Qemu} is missing: apt-get install qemu-system-x86");
        string[] lines = ["#!/bin/bash", "args=(\"$@\")", "if [[ \" $* \" == *' -kernel '* ]]; then", change, "fi", $"exec '{real}' \"${{args[@]}}\"", ""];
        await File.WriteAllTextAsync(wrapper, string.Join('\n', lines), cancellation);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(wrapper, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return new Dictionary<string, string> { ["PATH"] = folder + ":" + path };
    }
}
