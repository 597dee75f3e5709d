using System.Diagnostics;
using System.Text.Json.Nodes;
using Cloister.Tests;

namespace Cloister.Homomorphic.Tests.Wire.Seal;

/// <summary>A fact that needs node-seal, installed by <c>node/install</c>; skipped with the reason where it is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NodeSealFactAttribute : FactAttribute
{
    public NodeSealFactAttribute() => Skip = SealPeer.Absence;
}

/// <summary>As <see cref="NodeSealFactAttribute"/>, for theories.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NodeSealTheoryAttribute : TheoryAttribute
{
    public NodeSealTheoryAttribute() => Skip = SealPeer.Absence;
}

/// <summary>One process of node-seal for a class of tests: a request in, an answer out, in turn.</summary>
public sealed class SealPeer : IDisposable
{
    private static readonly string Folder = Path.Combine(TestData.RepositoryRoot, "tests", "Cloister.Homomorphic.Tests", "node");
    private static readonly string Node = Path.Combine(Folder, "node_modules", ".bin", "node");

    private readonly Lazy<Process> _process = new(() => Process.Start(new ProcessStartInfo(Node)
    {
        WorkingDirectory = Folder,
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        ArgumentList = { "peer.mjs" },
    }) ?? throw new InvalidOperationException("node did not start."));

    /// <summary>Why the tests skip, or null.</summary>
    public static string? Absence { get; } = File.Exists(Node) && File.Exists(Path.Combine(Folder, "node_modules", "node-seal", "package.json"))
        ? null
        : "node-seal is absent: run tests/Cloister.Homomorphic.Tests/node/install.";

    /// <summary>Asks, and expects no failure.</summary>
    public async Task<JsonNode> AskAsync(string operation, JsonObject request)
    {
        JsonNode answer = await SendAsync(operation, request);
        return answer["error"] is { } error ? throw new InvalidOperationException($"{operation}: {error}") : answer["result"]!;
    }

    /// <summary>Asks what SEAL refuses; gives its text.</summary>
    public async Task<string> RefusalAsync(string operation, JsonObject request)
    {
        JsonNode answer = await SendAsync(operation, request);
        return (string?)answer["error"] ?? throw new InvalidOperationException($"{operation} was not refused.");
    }

    public async Task<byte[]> BytesAsync(string operation, JsonObject request) => Convert.FromBase64String((string)(await AskAsync(operation, request))!);

    public void Dispose()
    {
        if (!_process.IsValueCreated) return;
        _process.Value.StandardInput.Close(); // its loop ends with its input
        if (!_process.Value.WaitForExit(TimeSpan.FromSeconds(60))) _process.Value.Kill();
        _process.Value.Dispose();
    }

    private async Task<JsonNode> SendAsync(string operation, JsonObject request)
    {
        request["op"] = operation;
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        await _process.Value.StandardInput.WriteLineAsync(request.ToJsonString().AsMemory(), limit.Token);
        await _process.Value.StandardInput.FlushAsync(limit.Token);
        string line = await _process.Value.StandardOutput.ReadLineAsync(limit.Token) ?? throw new InvalidOperationException("node ended.");
        return JsonNode.Parse(line)!;
    }
}
