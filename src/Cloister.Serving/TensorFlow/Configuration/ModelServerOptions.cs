using System.Net;
using System.Net.Sockets;
using Cloister.Serving.Repository;

namespace Cloister.Serving.TensorFlow.Configuration;

/// <summary>Turns a start line of tensorflow_model_server, and the files it names, into the options of a host.</summary>
internal static class ModelServerOptions
{
    public static async Task<InferenceOptions> ReadAsync(ModelServerFlags flags, string? storeFolder, IPAddress address, List<string> notes, CancellationToken cancellation)
    {
        (IPEndPoint endpoint, List<ServingEndpoint> further) = Endpoints(flags, address);
        var options = new InferenceOptions
        {
            StoreFolder = storeFolder ?? ".",
            Endpoint = endpoint,
            FurtherEndpoints = further,
            PredictionTimeout = TimeSpan.FromMilliseconds(flags.Whole("rest_api_timeout_in_ms")),
            Repository = Repository(flags),
            CrossOrigin = flags.Switch("rest_api_enable_cors_support"),
            AnswersAsTensorContent = flags.Switch("enable_serialization_as_tensor_content"),
        };
        options = await WithModelsAsync(options, flags, storeFolder is not null, notes, cancellation);
        if (flags.Whole("tensorflow_session_parallelism") is > 0 and var threads) options = options with { Executor = options.Executor with { Threads = (int)threads } };
        if (flags.Switch("enable_batching"))
        {
            options = flags.IsGiven("batching_parameters_file")
                ? await options.WithBatchingParametersAsync(flags.Text("batching_parameters_file"), notes, cancellation)
                : options with { Batching = BatchingFile.Default };
        }
        if (flags.IsGiven("monitoring_config_file")) options = await options.WithMonitoringConfigAsync(flags.Text("monitoring_config_file"), cancellation);
        return flags.IsGiven("ssl_config_file") ? await options.WithSslConfigAsync(flags.Text("ssl_config_file"), notes, cancellation) : options;
    }

    private static async Task<InferenceOptions> WithModelsAsync(InferenceOptions options, ModelServerFlags flags, bool hasStore, List<string> notes, CancellationToken cancellation)
    {
        if (flags.IsGiven("model_config_file"))
        {
            if (flags.IsGiven("model_base_path")) notes.Add("--model_name and --model_base_path are not followed beside --model_config_file.");
            options = await options.WithModelConfigAsync(flags.Text("model_config_file"), TimeSpan.FromSeconds(flags.Whole("model_config_file_poll_wait_seconds")), notes, cancellation);
            if (!hasStore && options.Repository.Plan!.Models.FirstOrDefault(model => model.BasePath is null) is { } homeless)
                throw ModelServerFlags.Refused($"Model '{homeless.Name}' has no base_path, and no --store says where models lie.");
            return options;
        }
        if (flags.IsGiven("model_base_path"))
        {
            string name = flags.Text("model_name");
            if (!ModelName.IsValid(name)) throw ModelServerFlags.Refused("--model_name is 1 to 128 letters, digits, '-', '_' and '.', and does not begin with a '.'.");
            return options with { Repository = options.Repository with { Plan = new ServingPlan([ModelPlan.Newest(name) with { BasePath = flags.Text("model_base_path") }]) } };
        }
        return hasStore ? options : throw ModelServerFlags.Refused("Nothing says what to serve: give --model_config_file, --model_base_path, or --store for every model that the manifest grants.");
    }

    private static (IPEndPoint Main, List<ServingEndpoint> Further) Endpoints(ModelServerFlags flags, IPAddress address)
    {
        var ports = new List<int>();
        // Both ports speak everything; REST comes first, for it is what a person is told.
        if (flags.Whole("rest_api_port") is > 0 and var rest) ports.Add((int)rest);
        if (flags.Whole("port") is > 0 and var grpc) ports.Add((int)grpc);
        var further = new List<ServingEndpoint>(ports.Skip(1).Select(port => new ServingEndpoint(new IPEndPoint(address, port))));
        if (flags.IsGiven("grpc_socket_path")) further.Add(new ServingEndpoint(new UnixDomainSocketEndPoint(flags.Text("grpc_socket_path"))) { Http2Only = true, Plaintext = true });
        // A socket alone: the main address is one that only this machine reaches.
        return (ports.Count > 0 ? new IPEndPoint(address, ports[0]) : new IPEndPoint(IPAddress.Loopback, 0), further);
    }

    // tensorflow_model_server looks for new versions and lets its configuration be reloaded at any time; so keys are kept, in locked memory.
    private static RepositoryOptions Repository(ModelServerFlags flags) => new()
    {
        AllowChanges = true,
        PollInterval = TimeSpan.FromSeconds(flags.Whole("file_system_poll_wait_seconds")),
        LoadRetries = (int)flags.Whole("max_num_load_retries"),
        RetryInterval = TimeSpan.FromMicroseconds(Math.Max(0, flags.Whole("load_retry_interval_micros"))),
        LabelsForUnavailable = flags.Switch("allow_version_labels_for_unavailable_models"),
    };
}
