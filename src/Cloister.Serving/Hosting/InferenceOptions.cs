using System.Net;
using System.Security.Cryptography.X509Certificates;
using Cloister.Partitioning.Runner;

namespace Cloister.Serving;

/// <summary>How an <see cref="InferenceHost"/> serves. The defaults suit one machine of its own.</summary>
public sealed record InferenceOptions
{
    /// <summary>The folder of sealed models: model M lies in <c>M.sealed</c>. It is not trusted.</summary>
    public required string StoreFolder { get; init; }

    /// <summary>Where to listen; port 0 takes a free one.</summary>
    public IPEndPoint Endpoint { get; init; } = new(IPAddress.Any, 8443);

    /// <summary>Where to listen besides: a second port for gRPC, a Unix socket.</summary>
    public IReadOnlyList<ServingEndpoint> FurtherEndpoints { get; init; } = [];

    /// <summary>The threads that predict and the requests that may wait.</summary>
    public ExecutorOptions Executor { get; init; } = new();

    /// <summary>
    /// How requests of one model are joined, for every model whose maker does not forbid it; null to leave it to the makers.
    /// </summary>
    public BatchingOptions? Batching { get; init; }

    /// <summary>
    /// Accelerators for models in parts. They are the operator's and trusted by nobody: what they see of an input, and what keeps their answers honest,
    /// is in docs/partitioning.md.
    /// </summary>
    public IReadOnlyList<AcceleratorAddress> Accelerators { get; init; } = [];

    /// <summary>How long a prediction may take, waiting included, where the model's configuration does not say.</summary>
    public TimeSpan PredictionTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The largest body of a request, inflated; models whose inputs are all of fixed size take less.</summary>
    public long MaximumRequestBytes { get; init; } = 64 << 20;

    /// <summary>Whether TF Serving's gRPC answers hold values in <c>tensor_content</c> rather than in lists (tensorflow_model_server's <c>--enable_serialization_as_tensor_content</c>).</summary>
    public bool AnswersAsTensorContent { get; init; }

    /// <summary>Whether web pages of any origin may call TF Serving's REST surface and the encrypted one (tensorflow_model_server's <c>--rest_api_enable_cors_support</c>).</summary>
    public bool CrossOrigin { get; init; }

    /// <summary>How many connections may be open at once; more are closed at once.</summary>
    public long MaximumConnections { get; init; } = 4096;

    /// <summary>How long a client may take for the TLS handshake, and then for a request's headers.</summary>
    public TimeSpan HeadersTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How many bytes of a body a client must send each second, after <see cref="BodyGrace"/>.</summary>
    public double MinimumBodyBytesPerSecond { get; init; } = 1024;

    /// <summary>How long a body may come more slowly than that.</summary>
    public TimeSpan BodyGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long requests that are under way may take when the server stops.</summary>
    public TimeSpan ShutdownTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How much pinned memory is kept for the next requests.</summary>
    public long KeptTensorBytes { get; init; } = 256 << 20;

    /// <summary>A file that says which models are served (TF Serving's <c>model_config_file</c>), if it is to be read again; null for none.</summary>
    internal string? ModelConfigFile { get; init; }

    /// <summary>How often it is read again; zero for never.</summary>
    internal TimeSpan ModelConfigPoll { get; init; }

    /// <summary>
    /// The authorities one of which must have issued the certificate of every client, whatever its rights are besides; null to let
    /// everybody connect. At least one is a root.
    /// </summary>
    public X509Certificate2Collection? ClientAuthorities { get; init; }

    /// <summary>Where metrics are to be had, and who may read them; null for nowhere.</summary>
    public MetricsOptions? Metrics { get; init; } = new();

    /// <summary>The status page, and who may read its figures; null for none.</summary>
    public StatusPageOptions? StatusPage { get; init; } = new();

    /// <summary>The file to which a line of JSON a request is appended; null for none.</summary>
    public string? AccessLogFile { get; init; }

    /// <summary>
    /// Whether all memory of the process is locked, so that nothing of a model or a request can reach swap; if the system does not allow it, the
    /// server does not start. Without it the decrypted models and their keys are locked, as far as the system allows.
    /// </summary>
    public bool LockProcessMemory { get; init; }

    /// <summary>When models are opened, replaced and released.</summary>
    public RepositoryOptions Repository { get; init; } = new();

    /// <summary>How long a server that stops says that it is not ready, and still answers, so that whoever sends it requests sees it.</summary>
    public TimeSpan DrainDelay { get; init; } = TimeSpan.Zero;

    /// <summary>Told how far each model is, from several threads; null if nobody listens.</summary>
    public IProgress<ModelProgress>? Progress { get; init; }
}
