using System.CommandLine;
using System.Net;
using Cloister.Cli.CommandLine;
using Cloister.Serving;

namespace Cloister.Cli.Verbs;

internal static class ServeVerb
{
    private static readonly Option<string> Store = new("--store") { Description = "The folder of sealed models; it is not trusted.", Required = true };
    private static readonly Option<string> Address = new("--address") { Description = "Where to listen, as IP:PORT; port 0 takes a free one.", DefaultValueFactory = _ => "0.0.0.0:8501" };
    private static readonly Option<string?> GrpcAddress = new("--grpc-address") { Description = "Where to listen besides, as IP:PORT; gRPC is served at both." };
    private static readonly Option<string?> ModelConfig = new("--model-config") { Description = "Which models, versions and labels to serve, as TF Serving's model_config_file; else the newest version of each that is granted." };
    private static readonly Option<int> ModelConfigPoll = new("--model-config-poll") { Description = "Read it again every so many seconds." };
    private static readonly Option<int> StorePoll = new("--store-poll") { Description = "Look for new versions every so many seconds; models' keys are kept for it, in locked memory." };
    private static readonly Option<string?> Batching = new("--batching") { Description = "Join requests into batches, as TF Serving's batching_parameters_file says." };
    private static readonly Option<string?> Monitoring = new("--monitoring") { Description = "Open metrics to anybody, as TF Serving's monitoring_config_file says; else callers that the manifest names have them at /metrics." };
    private static readonly Option<string?> Ssl = new("--ssl-config") { Description = "Which clients may connect, as TF Serving's ssl_config_file says." };
    private static readonly Option<string[]> Accelerators = ServingOptions.Accelerators();
    private static readonly Option<string?> AccessLog = ServingOptions.AccessLog();
    private static readonly Option<bool> OpenStatus = ServingOptions.OpenStatus();
    private static readonly Option<int> Drain = ServingOptions.Drain();
    private static readonly Option<bool> LockMemory = ServingOptions.LockMemory();
    private static readonly Option<bool> ModelControl = ServingOptions.ModelControl();
    private static readonly Option<string?> Type = Joining.Type();
    private static readonly Option<string?> Coordinator = Joining.Coordinator();
    private static readonly Option<string?> DnsNames = Joining.DnsNames();
    private static readonly Option<string?> UuidFile = Joining.UuidFile();
    private static readonly Option<string?> Simulator = Joining.Simulator();
    private static readonly Option<string?> Tpm = Joining.Tpm();

    public static Command Create() => new Verb("serve", "Be activated, open the models that the manifest grants in memory, and serve them.",
        "cloister serve --type inference --coordinator localhost:2001 --store store --address 127.0.0.1:8501",
        "cloister serve --type inference --store store --store-poll 10 --batching batching.txt --access-log access.jsonl")
    {
        Store, Address, GrpcAddress, ModelConfig, ModelConfigPoll, StorePoll, Batching, Monitoring, Ssl, Accelerators, AccessLog, OpenStatus, Drain, LockMemory, ModelControl, Type, Coordinator, DnsNames, UuidFile, Simulator, Tpm,
    }
        .Runs(ServeAsync);

    private static async Task ServeAsync(ParseResult parsed, Screen screen, CancellationToken cancellation)
    {
        var notes = new List<string>();
        var options = new InferenceOptions
        {
            StoreFolder = parsed.GetRequiredValue(Store),
            Endpoint = Endpoint(parsed.GetRequiredValue(Address)),
            FurtherEndpoints = parsed.GetValue(GrpcAddress) is { } grpc ? [new ServingEndpoint(Endpoint(grpc))] : [],
            Repository = new RepositoryOptions { PollInterval = TimeSpan.FromSeconds(Math.Max(0, parsed.GetValue(StorePoll))) },
        };
        if (parsed.GetValue(ModelConfig) is { } models) options = await options.WithModelConfigAsync(models, TimeSpan.FromSeconds(Math.Max(0, parsed.GetValue(ModelConfigPoll))), notes, cancellation);
        if (parsed.GetValue(Batching) is { } batching) options = await options.WithBatchingParametersAsync(batching, notes, cancellation);
        if (parsed.GetValue(Monitoring) is { } monitoring) options = await options.WithMonitoringConfigAsync(monitoring, cancellation);
        if (parsed.GetValue(Ssl) is { } ssl) options = await options.WithSslConfigAsync(ssl, notes, cancellation);
        options = ServingOptions.Apply(options, parsed.GetValue(Accelerators), parsed.GetValue(AccessLog), parsed.GetValue(OpenStatus), parsed.GetValue(Drain), parsed.GetValue(LockMemory), parsed.GetValue(ModelControl));
        await Serving.RunAsync(Joining.Options(parsed.GetValue(Type), parsed.GetValue(Coordinator), parsed.GetValue(DnsNames), parsed.GetValue(UuidFile), parsed.GetValue(Simulator), parsed.GetValue(Tpm)), options, notes, screen, cancellation);
    }

    private static IPEndPoint Endpoint(string text) => IPEndPoint.TryParse(text, out IPEndPoint? endpoint)
        ? endpoint
        : throw new CommandException(ExitCode.Usage, $"'{text}' is no IP:PORT.");
}
