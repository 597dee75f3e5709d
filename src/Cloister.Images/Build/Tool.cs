using System.Diagnostics;
using System.Text;

namespace Cloister.Images.Build;

/// <summary>Runs programs of the machine that builds: with an environment that makes them say and write the same everywhere, and dead when building ends.</summary>
internal static class Tool
{
    private const int MaximumWords = 4000;

    /// <summary>Where a program is; never one of the working directory.</summary>
    /// <exception cref="ImageException"><see cref="ImageError.ToolMissing"/> with the line that installs it.</exception>
    public static string Find(string name, string package)
    {
        string[] folders = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries), "/usr/local/sbin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
        return folders.Where(Path.IsPathRooted).Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists)
            ?? throw new ImageException(ImageError.ToolMissing, $"{name} is not on this machine; install it: apt-get install -y --no-install-recommends {package}");
    }

    /// <summary>Runs a program to its end; its standard input and output are the caller's to feed and read.</summary>
    /// <param name="path">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="folder">Its working directory; null: the caller's.</param>
    /// <param name="feed">Writes its standard input; null: it has none.</param>
    /// <param name="read">Reads its standard output to the end.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="ImageException"><see cref="ImageError.ToolFailed"/> with the end of what it said.</exception>
    public static async Task<T> RunAsync<T>(string path, IEnumerable<string> arguments, string? folder, Func<Stream, Task>? feed, Func<Stream, Task<T>> read, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(path, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder ?? "" };
        (start.Environment["LC_ALL"], start.Environment["TZ"]) = ("C", "UTC");
        start.Environment.Remove("SOURCE_DATE_EPOCH");
        using Process process = Process.Start(start) ?? throw new ImageException(ImageError.ToolFailed, $"{path} cannot be started.");
        try
        {
            Task<string> words = LastWordsAsync(process.StandardError);
            Task feeding = FeedAsync(process, feed);
            T result = await read(process.StandardOutput.BaseStream).WaitAsync(cancellation);
            await process.WaitForExitAsync(cancellation);
            if (process.ExitCode != 0)
                throw new ImageException(ImageError.ToolFailed, $"{Path.GetFileName(path)} ended with {process.ExitCode}: {(await words).Trim()}");
            await feeding;
            return result;
        }
        catch
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <summary>Runs a program that is fed nothing, and gives what it printed.</summary>
    public static Task<string> RunAsync(string path, IEnumerable<string> arguments, CancellationToken cancellation, string? folder = null) =>
        RunAsync(path, arguments, folder, null, output => new StreamReader(output, Encoding.UTF8).ReadToEndAsync(cancellation), cancellation);

    private static async Task FeedAsync(Process process, Func<Stream, Task>? feed)
    {
        await using Stream input = process.StandardInput.BaseStream;
        try
        {
            if (feed is not null) await feed(input);
        }
        catch (IOException) when (process.HasExited)
        {
            return; // it ended before it had read everything: its exit code says why
        }
    }

    private static async Task<string> LastWordsAsync(StreamReader error)
    {
        var words = new StringBuilder();
        char[] buffer = new char[1024];
        while (await error.ReadAsync(buffer) is > 0 and int read)
        {
            words.Append(buffer, 0, read);
            if (words.Length > MaximumWords) words.Remove(0, words.Length - MaximumWords);
        }
        return words.ToString();
    }
}
