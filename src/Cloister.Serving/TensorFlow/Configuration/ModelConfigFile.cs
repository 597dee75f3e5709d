using System.Buffers;
using System.Collections.Immutable;
using Cloister.Serving.Repository;
using Cloister.Serving.TextFormat;

namespace Cloister.Serving.TensorFlow.Configuration;

/// <summary>What is to be served, as a <c>model_config_file</c> says it.</summary>
/// <param name="Plan">The models.</param>
/// <param name="Notes">What the file asks for and has no meaning here, a sentence each.</param>
internal sealed record ModelConfigFile(ServingPlan Plan, IReadOnlyList<string> Notes)
{
    private const int LongestLabel = 128, LongestPath = 4096;

    private static readonly SearchValues<char> NotInLabels = SearchValues.Create("/:");

    /// <summary>Reads the file (tensorflow/serving, config/model_server_config.proto, <c>ModelServerConfig</c>).</summary>
    /// <exception cref="ServingException">As <see cref="Parse"/>, or <see cref="ServingError.SettingsUnreadable"/>.</exception>
    public static async Task<ModelConfigFile> ReadAsync(string path, CancellationToken cancellation) =>
        Parse(await SettingsFile.ReadAsync(path, cancellation), Path.GetFileName(path));

    /// <summary>Reads the document.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.SettingsMalformed"/> or <see cref="ServingError.SettingsRefused"/>: the text says where and what.</exception>
    public static ModelConfigFile Parse(ReadOnlySpan<byte> bytes, string document)
    {
        var root = new TextFields(TextParser.Parse(bytes, document), "ModelServerConfig");
        TextMessage? list = root.Message("model_config_list");
        if (root.PassOver("custom_model_config")) throw root.Refused("custom_model_config", "A custom_model_config needs a loader that is compiled in, and there is none; write a model_config_list.");
        root.RefuseOthers();
        if (list is null) throw root.Position.Refusal(ServingError.SettingsRefused, "ModelServerConfig has no model_config_list: nothing says what to serve.");
        var configs = new TextFields(list, "ModelConfigList");
        var models = ImmutableArray.CreateBuilder<ModelPlan>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var notes = new List<string>();
        foreach (TextMessage config in configs.Messages("config"))
        {
            ModelPlan plan = Model(config, notes);
            if (!names.Add(plan.Name)) throw config.Position.Refusal(ServingError.SettingsRefused, $"Model '{plan.Name}' is configured twice.");
            models.Add(plan);
        }
        configs.RefuseOthers();
        return new ModelConfigFile(new ServingPlan(models.ToImmutable()), notes);
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

    private static ModelPlan Model(TextMessage message, List<string> notes)
    {
        var fields = new TextFields(message, "ModelConfig");
        string? name = fields.Text("name");
        if (name is not null && !ModelName.IsValid(name)) throw fields.Refused("name", "A model's name is 1 to 128 letters, digits, '-', '_' and '.', and does not begin with a '.'.");
        string? path = BasePath(fields);
        Platform(fields);
        VersionPolicy policy = fields.Message("model_version_policy") is { } chosen ? Policy(chosen) : new VersionPolicy.Latest(1);
        ImmutableDictionary<string, long> labels = Labels(fields, policy);
        if (fields.PassOver("logging_config")) notes.Add($"{fields.At("logging_config")}: logging_config of '{name}' is not followed: what a request holds is never logged.");
        fields.RefuseOthers();
        if (name is null) throw fields.Refused("name", "A ModelConfig needs a name.");
        return new ModelPlan(name, path, policy, labels);
    }

    private static string? BasePath(TextFields fields)
    {
        string? path = fields.Text("base_path");
        if (string.IsNullOrEmpty(path)) return null;
        if (path.Contains("://", StringComparison.Ordinal)) throw fields.Refused("base_path", "Sealed models are read from a folder of this machine; mount the store there and name the folder.");
        if (path.Contains('\0') || path.Length > LongestPath) throw fields.Refused("base_path", "base_path is no path.");
        return path;
    }

    // What runs a model is what its maker sealed; a file that is carried over says 'tensorflow' and may go on to.
    private static void Platform(TextFields fields)
    {
        if (fields.Choice("model_type", ("MODEL_TYPE_UNSPECIFIED", 0), ("TENSORFLOW", 1), ("OTHER", 2)) == 2)
            throw fields.Refused("model_type", "model_type OTHER is not served here: leave it out.");
        if (fields.Text("model_platform") is not (null or "" or "tensorflow" or "onnx" or "onnxruntime" or "onnx_onnxv1"))
            throw fields.Refused("model_platform", "model_platform is 'onnx', or 'tensorflow' in a file that is carried over; a sealed model is ONNX either way.");
    }

    private static VersionPolicy Policy(TextMessage message)
    {
        var fields = new TextFields(message, "ServableVersionPolicy");
        TextMessage? latest = fields.Message("latest"), all = fields.Message("all"), specific = fields.Message("specific");
        fields.RefuseOthers();
        fields.DemandOneOf("latest", "all", "specific");
        if (latest is not null)
        {
            var counted = new TextFields(latest, "Latest");
            long count = counted.Integer("num_versions", 0, int.MaxValue) ?? 0;
            counted.RefuseOthers();
            // TF Serving takes an absent or zero number for one.
            return new VersionPolicy.Latest((int)Math.Max(1, count));
        }
        if (all is not null)
        {
            new TextFields(all, "All").RefuseOthers();
            return new VersionPolicy.All();
        }
        if (specific is null) return new VersionPolicy.Latest(1);
        var named = new TextFields(specific, "Specific");
        IReadOnlyList<long> versions = named.Integers("versions", 0, long.MaxValue);
        named.RefuseOthers();
        if (versions.Count == 0) throw named.Position.Refusal(ServingError.SettingsRefused, "'specific' names no version; it needs at least one.");
        return new VersionPolicy.Specific([.. versions.Distinct().Order()]);
    }

    private static ImmutableDictionary<string, long> Labels(TextFields fields, VersionPolicy policy)
    {
        var labels = ImmutableDictionary.CreateBuilder<string, long>(StringComparer.Ordinal);
        foreach (TextMessage entry in fields.Messages("version_labels"))
        {
            var pair = new TextFields(entry, "VersionLabelsEntry");
            string label = pair.Text("key") ?? "";
            long version = pair.Integer("value", 0, long.MaxValue) ?? 0;
            pair.RefuseOthers();
            if (label.Length is 0 or > LongestLabel || label.AsSpan().ContainsAny(NotInLabels) || label.Any(char.IsControl))
                throw pair.Refused("key", $"A version label is 1 to {LongestLabel} characters without '/' and ':': it stands in addresses.");
            if (policy is VersionPolicy.Specific { Numbers: var numbers } && !numbers.Contains(version))
                throw pair.Refused("value", $"Label '{label}' names version {version}, which model_version_policy does not serve.");
            if (!labels.TryAdd(label, version)) throw pair.Refused("key", $"Label '{label}' is there twice.");
        }
        return labels.ToImmutable();
    }
}
