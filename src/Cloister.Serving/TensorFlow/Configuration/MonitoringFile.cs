using Cloister.Serving.TextFormat;

namespace Cloister.Serving.TensorFlow.Configuration;

/// <summary>Whether and where metrics are to be had, as a <c>monitoring_config_file</c> says it.</summary>
internal static class MonitoringFile
{
    /// <summary>Reads the file (tensorflow/serving, config/monitoring_config.proto, <c>MonitoringConfig</c>).</summary>
    /// <returns>The path; null where metrics are not enabled.</returns>
    /// <exception cref="ServingException">As <see cref="Parse"/>, or <see cref="ServingError.SettingsUnreadable"/>.</exception>
    public static async Task<string?> ReadAsync(string path, CancellationToken cancellation) =>
        Parse(await SettingsFile.ReadAsync(path, cancellation), Path.GetFileName(path));

    /// <summary>Reads the document.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.SettingsMalformed"/> or <see cref="ServingError.SettingsRefused"/>: the text says where and what.</exception>
    public static string? Parse(ReadOnlySpan<byte> bytes, string document)
    {
        var root = new TextFields(TextParser.Parse(bytes, document), "MonitoringConfig");
        TextMessage? prometheus = root.Message("prometheus_config");
        root.RefuseOthers();
        if (prometheus is null) return null;
        var fields = new TextFields(prometheus, "PrometheusConfig");
        bool enabled = fields.Flag("enable") ?? false;
        string? path = fields.Text("path");
        fields.RefuseOthers();
        if (string.IsNullOrEmpty(path)) path = MetricsOptions.TensorFlowPath;
        if (!MetricsOptions.IsPath(path)) throw fields.Refused("path", "path is an address on this server: '/' and letters, digits, '/', '-', '_' and '.', and none that a protocol uses (/v1, /v2).");
        return enabled ? path : null;
    }

    /// <summary>Fuzzing target: anything but the documented refusals is a fault.</summary>
    public static void Fuzz(ReadOnlySpan<byte> bytes)
    {
        try
        {
            Parse(bytes, "fuzz");
        }
        catch (ServingException refusal) when (refusal.Error is ServingError.SettingsMalformed or ServingError.SettingsRefused)
        {
            // The documented refusals.
        }
    }
}
