namespace Cloister.Platform.Simulation;

/// <summary>
/// Finds the file that a command names, as execvp(3) does: with a '/' in it relative to the working directory, otherwise along PATH.
/// Who measures a command and who runs it find it here, so that they mean one file.
/// </summary>
public static class CommandLocator
{
    /// <summary>The full path of a command's executable.</summary>
    /// <param name="command">The command as it was written.</param>
    /// <param name="workingDirectory">Where relative paths start; absolute.</param>
    /// <param name="searchPath">The folders to search, ':' between them; null searches none.</param>
    /// <param name="root">What stands before every path; empty for this machine's own root.</param>
    /// <exception cref="PlatformException">There is no such file.</exception>
    public static string Find(string command, string workingDirectory, string? searchPath, string root = "")
    {
        IEnumerable<string> candidates = command.Contains('/', StringComparison.Ordinal)
            ? [Path.Combine(workingDirectory, command)]
            : (searchPath ?? "").Split(':').Select(folder => Path.Combine(workingDirectory, folder, command));
        string? found = command.Length == 0 ? null : candidates.Select(candidate => root + Path.GetFullPath(candidate)).FirstOrDefault(IsExecutable);
        return found ?? throw new PlatformException(PlatformError.CommandNotFound, $"The command '{command}' is not an executable file in {workingDirectory} or on PATH.");
    }

    private static bool IsExecutable(string path)
    {
        const UnixFileMode execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return File.Exists(path) && (OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & execute) != 0);
    }
}
