using System.Diagnostics;
using Cloister.Tests;

namespace Cloister.Serving.Tests.OpenInference.Grpc;

/// <summary>A fact that needs a foreign client; skipped with the reason where it is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ForeignClientFactAttribute : FactAttribute
{
    /// <summary>The system's own Python, for which grpcio is packaged.</summary>
    public const string Python = "/usr/bin/python3";

    public ForeignClientFactAttribute(string client)
    {
        bool here = client switch
        {
            "grpc-js" => Directory.Exists(Path.Combine(TestData.RepositoryRoot, "tests", "Cloister.Serving.Tests", "node", "node_modules", "@grpc", "grpc-js")),
            "grpcio" => Runs(Python, "-c", "import grpc"),
            _ => Runs(client, "--version"),
        };
        if (here) return;
        Skip = client switch
        {
            "grpc-js" => "grpc-js is absent: run tests/Cloister.Serving.Tests/node/install.",
            "grpcio" => "grpcio is absent: install python3-grpcio.",
            "h2load" => "h2load is absent: install nghttp2-client.",
            _ => $"{client} is absent.",
        };
    }

    private static bool Runs(string program, params string[] arguments)
    {
        try
        {
            var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
            foreach (string argument in arguments) start.ArgumentList.Add(argument);
            using Process process = Process.Start(start)!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
