using System.Diagnostics;
using System.Text.Json.Nodes;
using Cloister.Tests;

namespace Cloister.EndToEnd;

/// <summary>Runs the built `cloister` program as a process of its own, as a person would.</summary>
internal static class CloisterCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    /// <summary>The folder of the program built beside these tests, in the same configuration.</summary>
    public static string Folder { get; } = Path.Combine(TestData.RepositoryRoot, "src", "Cloister.Cli", "bin",
        Path.GetFileName(Path.GetDirectoryName(AppContext.BaseDirectory.TrimEnd('/'))!), "net10.0");

    public static string Executable { get; } = Path.Combine(Folder, OperatingSystem.IsWindows() ? "cloister.exe" : "cloister");

    /// <summary>Runs to the end.</summary>
    public static Task<Ended> RunAsync(params string[] arguments) => RunFromAsync(Folder, arguments);

    /// <summary>Runs a copy of the program in another folder to the end.</summary>
    public static async Task<Ended> RunFromAsync(string folder, params string[] arguments)
    {
        using Process process = Start(Path.Combine(folder, Path.GetFileName(Executable)), arguments);
        using var patience = new CancellationTokenSource(Patience);
        Task<string> output = process.StandardOutput.ReadToEndAsync(patience.Token), error = process.StandardError.ReadToEndAsync(patience.Token);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"'cloister {string.Join(' ', arguments)}' did not end in {Patience}.");
        }
        return new Ended(process.ExitCode, await output, await error);
    }

    public static Process Start(params string[] arguments) => Start(Executable, arguments);

    private static Process Start(string executable, string[] arguments)
    {
        var start = new ProcessStartInfo(executable) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    /// <summary>Reads JSON lines until one has <c>event</c> = <paramref name="name"/>.</summary>
    public static async Task<JsonObject> WaitForAsync(Process process, string name)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (await process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
        {
            if (line.StartsWith('{') && JsonNode.Parse(line) is JsonObject document && (string?)document["event"] == name)
                return document;
        }
        throw new InvalidOperationException($"The process ended before it said '{name}': {await process.StandardError.ReadToEndAsync(patience.Token)}");
    }
}

/// <summary>How a command ended.</summary>
internal sealed record Ended(int Code, string Output, string Error)
{
    public IReadOnlyList<JsonObject> Lines => [.. Output.Split('\n').Where(line => line.StartsWith('{')).Select(line => (JsonObject)JsonNode.Parse(line)!)];

    public void Succeeded() => Assert.True(Code == 0, $"exit code {Code}\n{Output}\n{Error}");
}

/// <summary>A folder that is gone after the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("cloister-test-").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
