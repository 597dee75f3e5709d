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
    public static Task<Ended> RunFromAsync(string folder, params string[] arguments) => RunAsync(Start(Path.Combine(folder, Path.GetFileName(Executable)), arguments), input: null, arguments);

    /// <summary>Runs to the end, with variables besides this process's own and with standard input.</summary>
    public static Task<Ended> RunWithAsync(IReadOnlyDictionary<string, string> environment, string? input, params string[] arguments) =>
        RunAsync(Start(Executable, arguments, environment), input, arguments);

    private static async Task<Ended> RunAsync(Process process, string? input, string[] arguments)
    {
        using Process running = process;
        using var patience = new CancellationTokenSource(Patience);
        Task<string> output = process.StandardOutput.ReadToEndAsync(patience.Token), error = process.StandardError.ReadToEndAsync(patience.Token);
        try
        {
            if (input is not null)
            {
                await process.StandardInput.WriteAsync(input.AsMemory(), patience.Token);
                process.StandardInput.Close();
            }
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

    private static Process Start(string executable, string[] arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(executable) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
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
