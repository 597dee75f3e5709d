using System.Diagnostics;

namespace Cloister.Protocol.Tests.Grpc;

/// <summary>A fact that needs grpc-js, installed by <c>node/install</c>; skipped with the reason where it is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ForeignPeerFactAttribute : FactAttribute
{
    public ForeignPeerFactAttribute()
    {
        if (!Directory.Exists(Path.Combine(NodePeer.Folder, "node_modules", "@grpc", "grpc-js")))
            Skip = "grpc-js is absent: run tests/Cloister.Protocol.Tests/node/install.";
    }
}

/// <summary>Starts a script of <c>node/</c>.</summary>
internal static class NodePeer
{
    public static string Folder { get; } = Path.Combine(Cloister.Tests.TestData.RepositoryRoot, "tests", "Cloister.Protocol.Tests", "node");

    public static Process Start(string script, params string[] arguments)
    {
        var start = new ProcessStartInfo("node") { WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardInput = true };
        start.ArgumentList.Add(script);
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        return Process.Start(start) ?? throw new InvalidOperationException("node did not start.");
    }
}
