using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace Cloister.Bench;

/// <summary>Where things lie, and how the Node peer is run.</summary>
internal sealed class BenchContext
{
    /// <summary>How long the soak goes on.</summary>
    public TimeSpan SoakTime { get; init; } = TimeSpan.FromMinutes(10);

    public static string Root { get; } = Path.GetFullPath(Path.Combine(SourceFolder(), "..", "..", ".."));

    public static string SampleModel => Path.Combine(Root, "samples", "Shapes", "model", "shapes.onnx");

    public static string NodeFolder => Path.Combine(Root, "bench", "node");

    /// <summary>The shared models, where they are; comparisons fall back to the repository's own.</summary>
    public static string? SharedModel(string relative)
    {
        string folder = Environment.GetEnvironmentVariable("CLOISTER_TESTDATA") is { Length: > 0 } set ? set : Path.Combine(Root, "..", "shared", "data");
        string path = Path.Combine(folder, "models", relative);
        return File.Exists(path) ? path : null;
    }

    /// <summary>Starts one of the peer's scripts.</summary>
    public static Process StartNode(string script, params string[] arguments) => StartNodeAt("node", script, arguments);

    private static Process StartNodeAt(string node, string script, string[] arguments)
    {
        var start = new ProcessStartInfo(node) { RedirectStandardOutput = true, WorkingDirectory = NodeFolder };
        start.ArgumentList.Add(script);
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        return Process.Start(start) ?? throw new InvalidOperationException("node could not be started.");
    }

    /// <summary>Runs a script to its end and reads the JSON it prints.</summary>
    public static Task<JsonNode> RunNodeAsync(string script, CancellationToken cancellation, params string[] arguments) => ReadNodeAsync(StartNode(script, arguments), script, cancellation);

    /// <summary>As the above, with a Node of one's own.</summary>
    public static Task<JsonNode> RunNodeAsync(string script, string node, CancellationToken cancellation, params string[] arguments) => ReadNodeAsync(StartNodeAt(node, script, arguments), script, cancellation);

    private static async Task<JsonNode> ReadNodeAsync(Process started, string script, CancellationToken cancellation)
    {
        using Process node = started;
        string output = await node.StandardOutput.ReadToEndAsync(cancellation);
        await node.WaitForExitAsync(cancellation);
        return node.ExitCode == 0 ? JsonNode.Parse(output)! : throw new InvalidOperationException($"node {script} ended with {node.ExitCode}.");
    }

    private static string SourceFolder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
