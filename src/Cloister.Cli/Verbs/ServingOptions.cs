using System.CommandLine;
using Cloister.Partitioning.Runner;
using Cloister.Serving;

namespace Cloister.Cli.Verbs;

/// <summary>What `serve` and `model-server` let an operator say alike.</summary>
internal static class ServingOptions
{
    public static Option<string?> AccessLog() => new("--access-log") { Description = "Append a line of JSON a request to this file: who, what, how long; never what it held." };

    public static Option<string[]> Accelerators() => new("--accelerator")
    {
        Description = "An accelerator for models in parts: unix:/path, shm:/path, tls:host:port#sha256:HEX as `cloister accelerator run` prints it, or tcp:host:port, where everybody on the way sees what crosses; may be given several times. It is trusted with nothing but what crosses the cut.",
    };

    public static Option<bool> OpenStatus() => new("--open-status") { Description = "Show the figures of /status to anybody, not only to callers that the manifest names." };

    public static Option<int> Drain() => new("--drain-seconds") { Description = "When stopping, say that it is not ready for so long before it takes no more requests." };

    public static Option<bool> LockMemory() => new("--lock-memory") { Description = "Lock all memory of this process, so that nothing of a model or a request can reach swap; without it the models' own." };

    public static Option<bool> ModelControl() => new("--allow-model-control") { Description = "Let callers who administer models by the manifest load and unload them." };

    public static InferenceOptions Apply(InferenceOptions options, string[]? accelerators, string? accessLog, bool openStatus, int drainSeconds, bool lockMemory, bool modelControl) => options with
    {
        Accelerators = AcceleratorAddress.ParseMany(accelerators ?? []),
        LockProcessMemory = lockMemory,
        Repository = options.Repository with { AllowChanges = options.Repository.AllowChanges || modelControl },
        AccessLogFile = accessLog,
        StatusPage = new StatusPageOptions { Open = openStatus },
        DrainDelay = TimeSpan.FromSeconds(Math.Max(0, drainSeconds)),
    };
}
