using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Serving;
using Cloister.Workload;
using Microsoft.Extensions.Logging;

namespace Cloister.Cli.Verbs;

/// <summary>What `serve` and `model-server` share: be activated, serve, tell, stop.</summary>
internal static class Serving
{
    public static async Task RunAsync(WorkloadOptions workload, InferenceOptions options, IReadOnlyList<string> notes, Screen screen, CancellationToken cancellation)
    {
        foreach (string note in notes) screen.Result("note: " + note, new JsonObject { ["event"] = "note" });
        using Telemetry telemetry = Telemetry.FromEnvironment();
        using ILoggerFactory logs = Logs.Create(screen);
        var activator = new WorkloadActivator(workload, logs.CreateLogger<WorkloadActivator>());
        using Activation activation = await activator.ActivateAsync(Joining.Tell(screen), cancellation);
        using var renewal = new CertificateRenewal(activator, activation, logs.CreateLogger<CertificateRenewal>());
        var opening = new Opening();
        await using InferenceHost host = await InferenceHost.StartAsync(options with { Progress = opening }, activation, logging => Logs.Configure(logging, screen), cancellation: cancellation);
        await renewal.StartAsync(cancellation);
        await screen.ShowAsync("opening models", host.ModelsLoaded.WaitAsync(cancellation), opening.HowFar);
        foreach ((string name, ModelState state, string? reason) in host.Models)
        {
            screen.Result(
                state == ModelState.Ready ? $"opened '{name}' in memory: the maker's signature, digest and version are the manifest's"
                    : reason is null ? $"'{name}' is granted, but not to be served now" : $"'{name}' is refused: {reason}",
                new JsonObject { ["event"] = "model", ["name"] = name, ["state"] = state.ToString(), ["reason"] = reason });
        }
        screen.Result($"serving on {string.Join(", ", host.Addresses)}",
            new JsonObject
            {
                ["event"] = "serving",
                ["address"] = host.Address.AbsoluteUri,
                ["port"] = host.Address.Port.ToString(CultureInfo.InvariantCulture),
                ["addresses"] = new JsonArray([.. host.Addresses.Select(address => (JsonNode)address)]),
                ["simulated"] = activation.Identity.Simulated,
            });
        // A workload whose certificate ended, or that is another under the manifest in force, stops serving and says why.
        Task stop = Stop.WaitAsync(cancellation), renewing = renewal.ExecuteTask!;
        if (await Task.WhenAny(stop, renewing) == renewing) await renewing;
        await stop;
        await renewal.StopAsync(CancellationToken.None);
        screen.Line("stopped.");
    }

    /// <summary>How far all models together are.</summary>
    private sealed class Opening : IProgress<ModelProgress>
    {
        private readonly ConcurrentDictionary<string, ModelProgress> _models = new(StringComparer.Ordinal);

        public void Report(ModelProgress value) => _models[value.Model] = value;

        public (long Done, long Total) HowFar() => (_models.Values.Sum(model => model.BytesRead), _models.Values.Sum(model => model.BytesTotal));
    }
}
