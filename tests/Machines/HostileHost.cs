using Cloister.EndToEnd;

namespace Cloister.Machines;

/// <summary>What the operator of a host can do to a machine's start line: a program named as QEMU's, found before it, changes the line and starts the real one.</summary>
internal sealed class HostileHost : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>Makes one; <paramref name="change"/> is a bash fragment over the array <c>args</c>.</summary>
    public HostileHost(string change)
    {
        string real = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, "qemu-system-x86_64")).First(File.Exists), wrapper = _folder["qemu-system-x86_64"];
        File.WriteAllText(wrapper, $$"""
            #!/bin/bash
            args=("$@")
            if [[ " $* " == *" -kernel "* ]]; then
            {{change}}
            fi
            exec {{real}} "${args[@]}"

            """);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(wrapper, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    /// <summary>A PATH that finds the changed program first.</summary>
    public string SearchPath => _folder.Path + ":" + Environment.GetEnvironmentVariable("PATH");

    public void Dispose() => _folder.Dispose();
}
