using Cloister.Cli.CommandLine;

namespace Cloister.Cli.Quickstart;

/// <summary>The folders of the quickstart: one a party, because none of them would show its folder to another.</summary>
internal sealed class Workspace : IDisposable
{
    private readonly bool _keep;

    public Workspace(string? folder)
    {
        _keep = folder is not null;
        Root = folder is null ? Directory.CreateTempSubdirectory("cloister-").FullName : Path.GetFullPath(folder);
        if (Directory.Exists(Root) && Directory.EnumerateFileSystemEntries(Root).Any())
            throw new CommandException(ExitCode.BadInput, $"The workspace '{Root}' is not empty: name a folder that is empty or does not exist.");
        foreach (string party in new[] { Root, Owner, Operator, Store, Client, Simulator })
            CreatePrivate(party);
    }

    public string Root { get; }
    public string Owner => Path.Combine(Root, "owner");
    public string Operator => Path.Combine(Root, "operator");
    public string Store => Path.Combine(Root, "store");
    public string Client => Path.Combine(Root, "client");
    public string Simulator => Path.Combine(Root, "simulator");
    public string Workload => Path.Combine(Root, "workload");

    /// <summary>The program's own folder: the coordinator runs from it, the workload from a copy with the workload's policy inside.</summary>
    public static string Program => AppContext.BaseDirectory;

    public static string ExecutableIn(string folder) => Path.Combine(folder, Path.GetFileName(Environment.ProcessPath!));

    /// <summary>Copies the program, so that the policy can be measured with it.</summary>
    public static void CopyProgram(string destination) => CopyFolder(Program, destination);

    public static void CopyFolder(string source, string destination)
    {
        CreatePrivate(destination);
        foreach (string folder in Directory.EnumerateDirectories(source, "*", SearchOption.AllDirectories))
            Directory.CreateDirectory(Path.Combine(destination, Path.GetRelativePath(source, folder)));
        foreach (string file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
            File.Copy(file, Path.Combine(destination, Path.GetRelativePath(source, file)), overwrite: true);
    }

    public void Dispose()
    {
        if (!_keep)
            Directory.Delete(Root, recursive: true);
    }

    private static void CreatePrivate(string folder)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
