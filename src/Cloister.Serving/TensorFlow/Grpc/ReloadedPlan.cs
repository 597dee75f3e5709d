using System.Collections.Immutable;
using Cloister.Serving.Repository;
using Cloister.Serving.TensorFlow.Messages;
using Policy = Cloister.Serving.TensorFlow.Messages.FileSystemStoragePathSourceConfig.Types.ServableVersionPolicy;

namespace Cloister.Serving.TensorFlow.Grpc;

/// <summary>What a reload request says is to be served (tensorflow_serving/config/model_server_config.proto), held to what the settings file is held to.</summary>
internal static class ReloadedPlan
{
    private const int LongestLabel = 128, LongestPath = 4096;

    /// <exception cref="ServingException">It does not say so, or says what cannot be.</exception>
    public static ServingPlan Of(ModelServerConfig? config)
    {
        if (config?.ConfigCase != ModelServerConfig.ConfigOneofCase.ModelConfigList)
            throw Refused("ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently supported");
        var names = new HashSet<string>(StringComparer.Ordinal);
        var models = ImmutableArray.CreateBuilder<ModelPlan>();
        foreach (ModelConfig model in config.ModelConfigList.Config)
        {
            if (!ModelName.IsValid(model.Name)) throw Refused("A model's name is 1 to 128 letters, digits, '-', '_' and '.', and does not begin with a '.'.");
            if (!names.Add(model.Name)) throw Refused($"Model '{model.Name}' is configured twice.");
            if (model.ModelType == ModelType.Other || model.ModelPlatform is not ("" or "tensorflow" or "onnx" or "onnxruntime" or "onnx_onnxv1"))
                throw Refused($"Model '{model.Name}': a sealed model is ONNX; model_platform is 'onnx', or 'tensorflow' in a configuration that is carried over.");
            models.Add(new ModelPlan(model.Name, BasePath(model), Versions(model), Labels(model)));
        }
        return new ServingPlan(models.ToImmutable());
    }

    private static string? BasePath(ModelConfig model)
    {
        if (model.BasePath.Length == 0) return null;
        if (model.BasePath.Length > LongestPath || model.BasePath.Contains("://", StringComparison.Ordinal) || model.BasePath.Contains('\0'))
            throw Refused($"Model '{model.Name}': base_path names a folder of the server's machine.");
        return model.BasePath;
    }

    private static VersionPolicy Versions(ModelConfig model) => model.ModelVersionPolicy?.PolicyChoiceCase switch
    {
        Policy.PolicyChoiceOneofCase.All => new VersionPolicy.All(),
        Policy.PolicyChoiceOneofCase.Specific when model.ModelVersionPolicy.Specific.Versions.Count == 0 || model.ModelVersionPolicy.Specific.Versions.Any(version => version < 0) =>
            throw Refused($"Model '{model.Name}': 'specific' needs versions, none of them negative."),
        Policy.PolicyChoiceOneofCase.Specific => new VersionPolicy.Specific([.. model.ModelVersionPolicy.Specific.Versions.Distinct().Order()]),
        // TF Serving takes an absent or zero number for one.
        Policy.PolicyChoiceOneofCase.Latest => new VersionPolicy.Latest((int)Math.Clamp(model.ModelVersionPolicy.Latest.NumVersions, 1, int.MaxValue)),
        _ => new VersionPolicy.Latest(1),
    };

    private static ImmutableDictionary<string, long> Labels(ModelConfig model)
    {
        foreach (string label in model.VersionLabels.Keys)
            if (label.Length is 0 or > LongestLabel || label.AsSpan().ContainsAny('/', ':') || label.Any(char.IsControl))
                throw Refused($"Model '{model.Name}': a version label is 1 to {LongestLabel} characters without '/' and ':'.");
        return model.VersionLabels.ToImmutableDictionary(StringComparer.Ordinal);
    }

    private static ServingException Refused(string reason) => new(ServingError.InvalidRequest, reason);
}
