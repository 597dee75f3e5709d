using Cloister.Serving.TensorFlow.Configuration;

namespace Cloister.Serving;

/// <summary>TF Serving's settings files (protobuf text format) as options of a host.</summary>
public static class SettingsFileOptions
{
    /// <summary>Takes the models to serve from a <c>model_config_file</c>.</summary>
    /// <param name="options">The options before.</param>
    /// <param name="path">The file.</param>
    /// <param name="poll">How often it is read again; zero for never.</param>
    /// <param name="notes">Takes a sentence for each thing that the file asks for and that has no meaning here.</param>
    /// <param name="cancellation">Gives up reading.</param>
    /// <exception cref="ServingException"><see cref="ServingError.SettingsUnreadable"/>, <see cref="ServingError.SettingsMalformed"/> or <see cref="ServingError.SettingsRefused"/>.</exception>
    public static async Task<InferenceOptions> WithModelConfigAsync(this InferenceOptions options, string path, TimeSpan poll, ICollection<string> notes, CancellationToken cancellation = default)
    {
        ModelConfigFile file = await ModelConfigFile.ReadAsync(path, cancellation);
        foreach (string note in file.Notes) notes.Add(note);
        return options with
        {
            Repository = options.Repository with { Plan = file.Plan, AllowChanges = options.Repository.AllowChanges || poll > TimeSpan.Zero },
            ModelConfigFile = path,
            ModelConfigPoll = poll,
        };
    }

    /// <summary>Takes the sizes of batches from a <c>batching_parameters_file</c>.</summary>
    /// <inheritdoc cref="WithModelConfigAsync"/>
    public static async Task<InferenceOptions> WithBatchingParametersAsync(this InferenceOptions options, string path, ICollection<string> notes, CancellationToken cancellation = default)
    {
        BatchingFile file = await BatchingFile.ReadAsync(path, cancellation);
        foreach (string note in file.Notes) notes.Add(note);
        return options with { Batching = file.Options };
    }

    /// <summary>Opens metrics as a <c>monitoring_config_file</c> says.</summary>
    /// <inheritdoc cref="WithModelConfigAsync"/>
    public static async Task<InferenceOptions> WithMonitoringConfigAsync(this InferenceOptions options, string path, CancellationToken cancellation = default) =>
        await MonitoringFile.ReadAsync(path, cancellation) is { } metrics
            ? options with { Metrics = new MetricsOptions { Open = true, Paths = [metrics, MetricsOptions.Path] } }
            : options;

    /// <summary>Demands clients' certificates as an <c>ssl_config_file</c> says.</summary>
    /// <inheritdoc cref="WithModelConfigAsync"/>
    public static async Task<InferenceOptions> WithSslConfigAsync(this InferenceOptions options, string path, ICollection<string> notes, CancellationToken cancellation = default)
    {
        SslFile file = await SslFile.ReadAsync(path, cancellation);
        foreach (string note in file.Notes) notes.Add(note);
        return options with { ClientAuthorities = file.ClientAuthorities };
    }
}
