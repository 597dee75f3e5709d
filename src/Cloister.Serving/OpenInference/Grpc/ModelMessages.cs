using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.OpenInference.Grpc.Wire;
using Cloister.Serving.Repository;
using Cloister.Serving.Surfaces;
using Microsoft.AspNetCore.Http;

namespace Cloister.Serving.OpenInference.Grpc;

/// <summary>What the service tells of the server and its models.</summary>
internal static class ModelMessages
{
    public static ServerMetadataResponse Server()
    {
        var answer = new ServerMetadataResponse { Name = "cloister", Version = typeof(ModelMessages).Assembly.GetName().Version?.ToString(3) ?? "" };
        answer.Extensions.Add(OpenInferenceSurface.Extensions);
        return answer;
    }

    /// <summary>Whether a model answers. Open to probes, as on REST; a model that there is not does not answer, as Triton says it.</summary>
    public static ModelReadyResponse Ready(PredictionService service, string name, string version)
    {
        try
        {
            return new ModelReadyResponse { Ready = service.Repository.Find(name).Require(ModelAddress.ChoiceOf(name, version)).Engine.IsReady };
        }
        catch (ServingException refusal) when (refusal.Error is ServingError.ModelNotFound or ServingError.VersionNotFound or ServingError.ModelUnavailable)
        {
            return new ModelReadyResponse();
        }
    }

    /// <exception cref="ServingException">There is no such model, or the caller may not use it.</exception>
    public static ModelMetadataResponse Metadata(HttpContext http, PredictionService service, string name, string version)
    {
        using ModelLease lease = service.Open(http, name, ModelAddress.ChoiceOf(name, version));
        var answer = new ModelMetadataResponse { Name = lease.Model.Name, Platform = lease.Model.Engine.Platform };
        answer.Versions.AddRange(Available(service, name).Select(number => number.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        answer.Inputs.AddRange(lease.Model.Engine.Inputs.Select(Tensor));
        answer.Outputs.AddRange(lease.Model.Engine.Outputs.Select(Tensor));
        return answer;
    }

    /// <exception cref="ServingException">There is no such model, or the caller may not use it.</exception>
    public static ModelConfigResponse Configuration(HttpContext http, PredictionService service, string name, string version)
    {
        using ModelLease lease = service.Open(http, name, ModelAddress.ChoiceOf(name, version));
        ConfiguredModel model = ConfiguredModel.Of(lease.Model, Available(service, name));
        var config = new ModelConfig { Name = model.Name, Platform = model.Platform, Backend = ConfiguredModel.Backend, MaxBatchSize = model.MaxBatchSize };
        config.VersionPolicy = new ModelVersionPolicy { Specific = new ModelVersionPolicy.Types.Specific { Versions = { model.Versions } } };
        if (model.MaxBatchSize > 0)
        {
            config.DynamicBatching = new ModelDynamicBatching { MaxQueueDelayMicroseconds = (ulong)model.QueueDelay.TotalMicroseconds };
            config.DynamicBatching.PreferredBatchSize.AddRange(model.PreferredBatchSizes.Select(size => (int)size));
        }
        config.Input.AddRange(model.Inputs.Select(tensor => new ModelInput { Name = tensor.Name, DataType = TypeOf(tensor), Dims = { tensor.Dims } }));
        config.Output.AddRange(model.Outputs.Select(tensor => new ModelOutput { Name = tensor.Name, DataType = TypeOf(tensor), Dims = { tensor.Dims } }));
        return new ModelConfigResponse { Config = config };
    }

    private static IEnumerable<long> Available(PredictionService service, string name) =>
        service.Repository.Find(name).Versions.Where(version => version.State == ModelVersionState.Available).Select(version => version.Version);

    private static ModelMetadataResponse.Types.TensorMetadata Tensor(TensorInfo tensor) =>
        new() { Name = tensor.Name, Datatype = TensorTypes.OpenInference(tensor.Type), Shape = { tensor.Shape } };

    private static DataType TypeOf(ConfiguredTensor tensor) => tensor.DataType switch
    {
        "TYPE_BOOL" => DataType.TypeBool,
        "TYPE_UINT8" => DataType.TypeUint8,
        "TYPE_UINT16" => DataType.TypeUint16,
        "TYPE_UINT32" => DataType.TypeUint32,
        "TYPE_UINT64" => DataType.TypeUint64,
        "TYPE_INT8" => DataType.TypeInt8,
        "TYPE_INT16" => DataType.TypeInt16,
        "TYPE_INT32" => DataType.TypeInt32,
        "TYPE_INT64" => DataType.TypeInt64,
        "TYPE_FP16" => DataType.TypeFp16,
        "TYPE_FP32" => DataType.TypeFp32,
        "TYPE_FP64" => DataType.TypeFp64,
        "TYPE_STRING" => DataType.TypeString,
        "TYPE_BF16" => DataType.TypeBf16,
        _ => DataType.TypeInvalid,
    };
}
