using System.Collections.Concurrent;
using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Cloister.Cli.CommandLine;
using Cloister.Serving;
using Cloister.Workload;
using Microsoft.Extensions.Logging;

namespace Cloister.Cli.Verbs;

internal static class ServeVerb
{
    private static readonly Option<string> Store = new("--store") { Description = "The folder of sealed models; it is not trusted.", Required = true };
    private static readonly Option<string> Address = new("--address") { Description = "Where to listen, as IP:PORT; port 0 takes a free one.", DefaultValueFactory = _ => "0.0.0.0:8501" };
    private static readonly Option<string?> Type = Joining.Type();
    private static readonly Option<string?> Coordinator = Joining.Coordinator();
    private static readonly Option<string?> DnsNames = Joining.DnsNames();
    private static readonly Option<string?> UuidFile = Joining.UuidFile();
    private static readonly Option<string?> Simulator = Joining.Simulator();

    public static Command Create() => new Verb("serve", "Be activated, open the models that the manifest grants in memory, and serve them.",
        "cloister serve --type inference --coordinator localhost:2001 --store store --address 127.0.0.1:8501") { Store, Address, Type, Coordinator, DnsNames, UuidFile, Simulator }
        .Runs(ServeAsync);

    private static async Task ServeAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        if (!IPEndPoint.TryParse(parsed.GetRequiredValue(Address), out IPEndPoint? endpoint))
            throw new CommandException(ExitCode.Usage, $"'{parsed.GetValue(Address)}' is no IP:PORT.");
        WorkloadOptions workload = Joining.Options(parsed.GetValue(Type), parsed.GetValue(Coordinator), parsed.GetValue(DnsNames), parsed.GetValue(UuidFile), parsed.GetValue(Simulator));
        using ILoggerFactory logs = Logs.Create(screen);
        var activator = new WorkloadActivator(workload, logs.CreateLogger<WorkloadActivator>());
        using Activation activation = await activator.ActivateAsync(Joining.Tell(screen), cancellation);
        using var renewal = new CertificateRenewal(activator, activation, logs.CreateLogger<CertificateRenewal>());
        var opening = new Opening();
        var options = new InferenceOptions { StoreFolder = parsed.GetRequiredValue(Store), Endpoint = endpoint, Progress = opening };
        await using InferenceHost host = await InferenceHost.StartAsync(options, activation, logging => Logs.Configure(logging, screen), cancellation: cancellation);
        await renewal.StartAsync(cancellation);
        await screen.ShowAsync("opening models", host.ModelsLoaded.WaitAsync(cancellation), opening.HowFar);
        foreach ((string name, ModelState state, string? reason) in host.Models)
        {
            screen.Result(
                reason is null ? $"opened '{name}' in memory: the maker's signature, digest and version are the manifest's" : $"'{name}' is refused: {reason}",
                new JsonObject { ["event"] = "model", ["name"] = name, ["state"] = state.ToString(), ["reason"] = reason });
        }
        screen.Result($"serving on {host.Address.AbsoluteUri.TrimEnd('/')}",
            new JsonObject { ["event"] = "serving", ["address"] = host.Address.AbsoluteUri, ["port"] = host.Address.Port.ToString(CultureInfo.InvariantCulture), ["simulated"] = activation.Identity.Simulated });
        await Stop.WaitAsync(cancellation);
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
