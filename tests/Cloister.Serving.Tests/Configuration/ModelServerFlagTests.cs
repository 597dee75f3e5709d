using System.Net;
using Cloister.Serving.Repository;
using Cloister.Serving.TensorFlow.Configuration;

namespace Cloister.Serving.Tests.Configuration;

/// <summary>tensorflow_model_server's start lines.</summary>
public sealed class ModelServerFlagTests
{
    [Fact]
    public async Task A_start_line_of_the_docker_image_is_followed()
    {
        // The image's entry point names a port and a model, and appends what a person gave: the last one of a name counts.
        ModelServerStart start = await ReadAsync("--port=8500", "--rest_api_port=8501", "--model_name=model", "--model_base_path=/models/model",
            "--rest_api_port=8601", "--model_name", "mnist", "--rest_api_timeout_in_ms=5000", "--enable_batching", "--tensorflow_session_parallelism=3", "--file_system_poll_wait_seconds=0");
        Assert.Empty(start.Notes);
        InferenceOptions options = start.Options;
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 8601), options.Endpoint);
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 8500), Assert.Single(options.FurtherEndpoints).Address);
        Assert.Equal((TimeSpan.FromSeconds(5), 3, 1000), (options.PredictionTimeout, options.Executor.Threads, options.Batching!.MaxBatchSize));
        ModelPlan plan = Assert.Single(options.Repository.Plan!.Models);
        Assert.Equal(("mnist", "/models/model"), (plan.Name, plan.BasePath));
        Assert.Equal((TimeSpan.Zero, true, 5, TimeSpan.FromMinutes(1)), (options.Repository.PollInterval, options.Repository.AllowChanges, options.Repository.LoadRetries, options.Repository.RetryInterval));
        Assert.False(options.Metrics!.Open);
    }

    [Fact]
    public async Task Defaults_are_those_of_tensorflow_model_server()
    {
        InferenceOptions options = (await ReadAsync("--model_base_path=/models/model")).Options;
        Assert.Equal(8500, options.Endpoint.Port);
        Assert.Empty(options.FurtherEndpoints);
        Assert.Equal((TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(1), null), (options.PredictionTimeout, options.Repository.PollInterval, options.Batching));
        Assert.Equal("default", options.Repository.Plan!.Models[0].Name);
    }

    [Fact]
    public async Task Files_are_read_and_what_has_no_meaning_here_is_noted()
    {
        string folder = Directory.CreateTempSubdirectory("cloister-flags-").FullName;
        string File(string name, string text)
        {
            string path = Path.Combine(folder, name);
            System.IO.File.WriteAllText(path, text);
            return path;
        }
        ModelServerStart start = await ReadAsync(
            "--model_config_file", File("models", "model_config_list { config { name: 'm' base_path: '/m' } }"), "--model_config_file_poll_wait_seconds=60",
            "--enable_batching=true", "--batching_parameters_file=" + File("batching", "max_batch_size { value: 4 }"),
            "--monitoring_config_file=" + File("monitoring", "prometheus_config { enable: true path: '/m' }"),
            "--ssl_config_file=" + File("ssl", "server_key: 'k' server_cert: 'c'"),
            "--grpc_socket_path=" + Path.Combine(folder, "socket"), "--port=0", "--flush_filesystem_caches=false", "--per_process_gpu_memory_fraction=0.5", "--grpc_max_threads=8");
        Assert.Equal((4, TimeSpan.FromSeconds(60), "m"), (start.Options.Batching!.MaxBatchSize, start.Options.ModelConfigPoll, start.Options.Repository.Plan!.Models[0].Name));
        Assert.Equal((true, "/m,/metrics"), (start.Options.Metrics!.Open, string.Join(',', start.Options.Metrics.Paths)));
        ServingEndpoint socket = Assert.Single(start.Options.FurtherEndpoints);
        Assert.True(socket is { Plaintext: true, Http2Only: true });
        Assert.Equal(["--flush_filesystem_caches", "--per_process_gpu_memory_fraction", "--grpc_max_threads", "ssl:"], start.Notes.Select(note => note.Split(' ')[0]));
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("--no_such_flag=1", "is not a flag of tensorflow_model_server")]
    [InlineData("positional", "is not a flag")]
    [InlineData("--", "is not a flag")]
    [InlineData("--model_name", "needs a value")]
    [InlineData("--port=70000", "from 0 to 65535")]
    [InlineData("--port=x", "whole number")]
    [InlineData("--enable_batching=yes", "true or false")]
    [InlineData("--per_process_gpu_memory_fraction=half", "a number")]
    [InlineData("--use_alts_credentials", "activation")]
    [InlineData("--port=1 --rest_api_port=1", "the same")]
    [InlineData("--port=0", "no place to listen")]
    [InlineData("--batching_parameters_file=x", "without --enable_batching")]
    [InlineData("--model_config_file_poll_wait_seconds=1", "without --model_config_file")]
    [InlineData("--port=8500", "Nothing says what to serve")]
    [InlineData("--model_base_path=/m --model_name=../m", "--model_name")]
    public async Task What_cannot_be_followed_is_refused(string line, string reason)
    {
        var refusal = await Assert.ThrowsAsync<ServingException>(() => ReadAsync(line.Split(' ')));
        Assert.Equal(ServingError.FlagRefused, refusal.Error);
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_flag_is_known_once_has_a_default_that_it_takes_and_is_in_the_help()
    {
        foreach (ModelServerFlag flag in ModelServerFlagTable.All)
        {
            if (flag.Default.Length > 0) Assert.Null(flag.Problem(flag.Default));
            Assert.Single(ModelServerFlags.Help, line => line.StartsWith("--" + flag.Name, StringComparison.Ordinal) && line["--".Length..][flag.Name.Length] is ':' or '=');
        }
        Assert.True(ModelServerFlags.Parse(["--version"]).AsksForVersion);
        Assert.False(ModelServerFlags.Parse(["--version", "--version=false"]).AsksForVersion);
    }

    [Fact]
    public async Task Models_without_a_base_path_need_a_store()
    {
        string path = Path.GetTempFileName();
        await File.WriteAllTextAsync(path, "model_config_list { config { name: 'm' } }");
        Assert.Contains("--store", (await Assert.ThrowsAsync<ServingException>(() => ReadAsync("--model_config_file=" + path))).Message, StringComparison.Ordinal);
        Assert.Equal("store", (await ModelServerFlags.Parse(["--model_config_file=" + path]).ReadAsync("store", IPAddress.Any)).Options.StoreFolder);
        File.Delete(path);
    }

    private static Task<ModelServerStart> ReadAsync(params string[] line) => ModelServerFlags.Parse(line).ReadAsync(null, IPAddress.Loopback);
}
