namespace Cloister.Serving.TensorFlow.Configuration;

/// <summary>Every flag of tensorflow_model_server (tensorflow/serving, model_servers/main.cc), with its defaults.</summary>
internal static class ModelServerFlagTable
{
    public static IReadOnlyList<ModelServerFlag> All { get; } =
    [
        Whole("port", "8500", "where gRPC is served, over TLS; 0: nowhere", 0, 65535),
        Text("grpc_socket_path", "a Unix socket for gRPC without TLS, for a peer on this machine"),
        Whole("rest_api_port", "0", "where REST is served, over TLS; 0: at --port alone", 0, 65535),
        Whole("rest_api_timeout_in_ms", "30000", "how long a prediction may take, over gRPC too", 1, int.MaxValue),
        Text("model_config_file", "the models to serve (ModelServerConfig, text)"),
        Whole("model_config_file_poll_wait_seconds", "0", "how often it is read again; 0: never", 0, int.MaxValue),
        Text("model_name", "the one model to serve, where there is no model_config_file", "default"),
        Text("model_base_path", "the folder of its versions"),
        Switch("enable_batching", "false", "join requests into batches"),
        Text("batching_parameters_file", "how (BatchingParameters, text)"),
        Text("monitoring_config_file", "whether and where metrics are to be had (MonitoringConfig, text)"),
        Text("ssl_config_file", "which clients are let in (SSLConfig, text); the server's certificate is its activation's"),
        Whole("file_system_poll_wait_seconds", "1", "how often base paths are looked through; 0: once; negative: never", int.MinValue, int.MaxValue),
        Whole("max_num_load_retries", "5", "how often a version that could not be read is tried again", 0, int.MaxValue),
        Whole("load_retry_interval_micros", "60000000", "how long to wait between these; negative: not at all", long.MinValue, long.MaxValue / 10),
        Switch("allow_version_labels_for_unavailable_models", "false", "let a label name a version that is not available yet"),
        Switch("rest_api_enable_cors_support", "false", "let web pages of any origin call TF Serving's REST surface"),
        Switch("enable_serialization_as_tensor_content", "false", "answer over gRPC with tensor_content instead of lists of values"),
        Whole("tensorflow_session_parallelism", "0", "how many predictions run at once; 0: one a processor", 0, 4096),
        Switch("version", "false", "print versions and end"),
        Switch("use_alts_credentials", "false", "refused: the server's identity is its activation's"),
        Passed("rest_api_num_threads", FlagKind.Whole, "requests that wait take no thread"),
        Passed("grpc_max_threads", FlagKind.Whole, "requests that wait take no thread"),
        Passed("grpc_channel_arguments", FlagKind.Text, "there is no gRPC channel to give them to"),
        Passed("enable_per_model_batching_parameters", FlagKind.Switch, "what a model's maker sealed in config.json always counts"),
        Passed("num_load_threads", FlagKind.Whole, "versions are opened one after the other, so that no two need their peak of memory at once"),
        Passed("num_unload_threads", FlagKind.Whole, "a version is released when its last request is answered"),
        Passed("flush_filesystem_caches", FlagKind.Switch, "the system decides what it caches"),
        Passed("tensorflow_session_config_file", FlagKind.Text, "there is no TensorFlow session"),
        Passed("tensorflow_intra_op_parallelism", FlagKind.Whole, "the threads of one prediction stand in the model's sealed config.json"),
        Passed("tensorflow_inter_op_parallelism", FlagKind.Whole, "operators of one prediction run one after the other"),
        Passed("platform_config_file", FlagKind.Text, "sealed models are ONNX"),
        Passed("per_process_gpu_memory_fraction", FlagKind.Real, "models run on the processor"),
        Passed("saved_model_tags", FlagKind.Text, "sealed models are ONNX"),
        Passed("enable_model_warmup", FlagKind.Switch, "warm-up requests are part of the sealed model"),
        Passed("num_request_iterations_for_warmup", FlagKind.Whole, "warm-up requests are part of the sealed model"),
        Passed("remove_unused_fields_from_bundle_metagraph", FlagKind.Switch, "sealed models are ONNX"),
        Passed("prefer_tflite_model", FlagKind.Switch, "sealed models are ONNX"),
        Passed("num_tflite_pools", FlagKind.Whole, "sealed models are ONNX"),
        Passed("num_tflite_interpreters_per_pool", FlagKind.Whole, "sealed models are ONNX"),
        Passed("enable_signature_method_name_check", FlagKind.Switch, "signatures are made from the model's inputs and outputs"),
        Passed("xla_cpu_compilation_enabled", FlagKind.Switch, "there is no XLA"),
        Passed("xla_gpu_compilation_enabled", FlagKind.Switch, "there is no XLA"),
        Passed("enable_profiler", FlagKind.Switch, "there is no profiler service"),
        Passed("thread_pool_factory_config_file", FlagKind.Text, "predictions have threads of their own"),
        Passed("mixed_precision", FlagKind.Text, "a model computes in the types that its maker sealed"),
        Passed("skip_initialize_tpu", FlagKind.Switch, "there is no TPU"),
        Passed("enable_grpc_healthcheck_service", FlagKind.Switch, "gRPC's health service always answers"),
    ];

    private static ModelServerFlag Text(string name, string meaning, string initial = "") => new(name, FlagKind.Text, initial, meaning);

    private static ModelServerFlag Whole(string name, string initial, string meaning, long from, long to) => new(name, FlagKind.Whole, initial, meaning) { Range = (from, to) };

    private static ModelServerFlag Switch(string name, string initial, string meaning) => new(name, FlagKind.Switch, initial, meaning);

    private static ModelServerFlag Passed(string name, FlagKind kind, string reason) => new(name, kind, "", reason) { IsFollowed = false, Range = (long.MinValue, long.MaxValue) };
}
