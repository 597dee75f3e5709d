namespace Cloister.Serving;

/// <summary>When models are opened, replaced and released. By default each is opened once, at the start, and its key is zeroed after it.</summary>
public sealed record RepositoryOptions
{
    /// <summary>
    /// How often the store is looked through for new versions and changed files; zero: once, at the start; negative: never, models are
    /// opened only when they are asked for (tensorflow_model_server's <c>file_system_poll_wait_seconds</c>).
    /// </summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.Zero;

    /// <summary>Whether what is served may be changed while the server runs: by a configuration file that is read again, or by whoever may over the network.</summary>
    public bool AllowChanges { get; init; }

    /// <summary>How often a version that could not be read is tried again (<c>max_num_load_retries</c>). One that is refused is tried again only when its file changes.</summary>
    public int LoadRetries { get; init; } = 5;

    /// <summary>How long to wait between these (<c>load_retry_interval_micros</c>).</summary>
    public TimeSpan RetryInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Whether a version that is no longer wanted goes before the next one is opened: less memory, but nobody answers in between.</summary>
    public bool UnloadFirst { get; init; }

    /// <summary>Whether a label may name a version that is not available yet (<c>allow_version_labels_for_unavailable_models</c>).</summary>
    public bool LabelsForUnavailable { get; init; }

    /// <summary>What is served at the start; null for the newest version of every granted model.</summary>
    internal Repository.ServingPlan? Plan { get; init; }

    /// <summary>Told of versions that are opened; null if nobody listens.</summary>
    internal Repository.IModelObserver? Observer { get; init; }

    /// <summary>Whether models are needed again after the start: then their keys are kept, in locked memory.</summary>
    internal bool KeepsKeys => AllowChanges || PollInterval > TimeSpan.Zero;
}
