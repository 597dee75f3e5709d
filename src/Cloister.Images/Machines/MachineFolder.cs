using System.Runtime.Versioning;
using System.Text.Json;

namespace Cloister.Images.Machines;

/// <summary>A machine's folder, readable by its owner alone: <c>machine.json</c>, <c>lock</c>, <c>tpm/</c>, <c>vars.fd</c>, <c>log</c>, sockets, data disks.</summary>
[SupportedOSPlatform("linux")]
public sealed class MachineFolder
{
    private const int Format = 1, RecordLimit = 64 << 10;
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Names the folder at <paramref name="path"/>; nothing is made yet.</summary>
    public MachineFolder(string path) => Path = System.IO.Path.GetFullPath(path);

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>What the machine said and what became of it, one JSON object a line.</summary>
    public string Log => In("log");

    /// <summary>A debug image's serial console.</summary>
    public string Console => In("console.log");

    internal string Tpm => In("tpm");

    internal string Variables => In("vars.fd");

    internal string Record => In("machine.json");

    internal string Control => In("control.sock");

    internal string Channel => In("channel.sock");

    internal string Qmp => In("qmp.sock");

    internal string TpmSocket => In("tpm.sock");

    /// <summary>Where this user's machines and TPM authority are kept: <c>$XDG_STATE_HOME/cloister</c>, else <c>~/.local/state/cloister</c>.</summary>
    public static string StateFolder() => FindStateFolder() ??
        throw new ImageException(ImageError.MachineFolderInvalid, "Neither HOME nor XDG_STATE_HOME says where machines are kept; set one, or name a folder.");

    internal static string? FindStateFolder()
    {
        string? state = Environment.GetEnvironmentVariable("XDG_STATE_HOME");
        if (string.IsNullOrEmpty(state) || !System.IO.Path.IsPathFullyQualified(state))
        {
            string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            if (home.Length == 0)
                return null;
            state = System.IO.Path.Combine(home, ".local", "state");
        }
        return System.IO.Path.Combine(state, "cloister");
    }

    /// <summary>The machine that <paramref name="name"/> means: a path where it has a slash, else a name among this user's machines.</summary>
    public static MachineFolder Named(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.Contains('/', StringComparison.Ordinal) || name is "." or "..")
            return new MachineFolder(name);
        if (name.Length > 64 || !name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.') || name[0] == '.')
            throw new ImageException(ImageError.MachineOptionInvalid, $"'{name}' cannot name a machine: up to 64 letters, digits, dashes, underscores and dots; or give a path.");
        return new MachineFolder(System.IO.Path.Combine(StateFolder(), "machines", name));
    }

    /// <summary>This user's machines that have a name.</summary>
    public static IEnumerable<MachineFolder> All()
    {
        string machines = System.IO.Path.Combine(StateFolder(), "machines");
        return Directory.Exists(machines) ? Directory.EnumerateDirectories(machines).Order(StringComparer.Ordinal).Select(path => new MachineFolder(path)).Where(folder => File.Exists(folder.Record)) : [];
    }

    /// <summary>What the folder says, with the state <see cref="MachineStates.Killed"/> where the supervisor died without a word.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.MachineFolderInvalid"/>: no machine was ever started there.</exception>
    public MachineRecord Read()
    {
        try
        {
            if (new FileInfo(Record) is { Exists: true, Length: <= RecordLimit } && JsonSerializer.Deserialize(File.ReadAllBytes(Record), MachineRecordJson.Default.MachineRecord) is { Format: Format } record)
                return record.State == MachineStates.Ended || HostProcess.Lives(record) ? record : record with { State = MachineStates.Killed };
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new ImageException(ImageError.MachineFolderInvalid, $"'{Record}' cannot be read: {unreadable.Message}", unreadable);
        }
        throw new ImageException(ImageError.MachineFolderInvalid, $"There is no machine at '{Path}': it was never started. `cloister image start IMAGE` starts one.");
    }

    /// <summary>Makes the folder if need be and takes it for this process alone, until disposed of or dead.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.MachineRunning"/>: another process has it.</exception>
    internal FileStream Take()
    {
        try
        {
            Directory.CreateDirectory(Path, Private);
            File.SetUnixFileMode(Path, Private);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new ImageException(ImageError.MachineFolderInvalid, $"The machine's folder '{Path}' cannot be made: {refused.Message}", refused);
        }
        try
        {
            return new FileStream(In("lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException held)
        {
            throw new ImageException(ImageError.MachineRunning, $"The machine at '{Path}' runs already. Stop it first, or give this one another name.", held);
        }
    }

    internal void Write(MachineRecord record)
    {
        string whole = Record + ".new";
        File.WriteAllBytes(whole, JsonSerializer.SerializeToUtf8Bytes(record with { Format = Format }, MachineRecordJson.Default.MachineRecord));
        File.Move(whole, Record, overwrite: true);
    }

    internal string In(string name) => System.IO.Path.Combine(Path, name);
}
