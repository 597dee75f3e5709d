using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;

namespace Cloister.Serving.OpenInference;

/// <summary>What the protocol tells of a model: its metadata, and (Triton's extension) its configuration.</summary>
internal static class ModelDocuments
{
    /// <summary><c>$metadata_model_response</c>.</summary>
    public static void WriteMetadata(JsonOutput json, ServedModel model, IEnumerable<long> versions)
    {
        json.Raw("{\"name\":"u8).Text(model.Name).Raw(",\"versions\":["u8);
        bool first = true;
        foreach (long version in versions)
        {
            json.Raw(first ? "\""u8 : ",\""u8).Number(version).Raw("\""u8);
            first = false;
        }
        json.Raw("],\"platform\":"u8).Text(model.Engine.Platform).Raw(",\"inputs\":"u8);
        WriteTensors(json, model.Engine.Inputs);
        json.Raw(",\"outputs\":"u8);
        WriteTensors(json, model.Engine.Outputs);
        json.Raw("}"u8);
    }

    /// <summary>The part of Triton's <c>ModelConfig</c> (model_config.proto) that has a meaning here.</summary>
    public static void WriteConfiguration(JsonOutput json, ConfiguredModel model)
    {
        json.Raw("{\"name\":"u8).Text(model.Name).Raw(",\"platform\":"u8).Text(model.Platform).Raw(",\"backend\":"u8).Text(ConfiguredModel.Backend)
            .Raw(",\"version_policy\":{\"specific\":{\"versions\":"u8).List([.. model.Versions]).Raw("}},\"max_batch_size\":"u8).Number(model.MaxBatchSize)
            .Raw(",\"input\":"u8);
        WriteConfigured(json, model.Inputs, isInput: true);
        json.Raw(",\"output\":"u8);
        WriteConfigured(json, model.Outputs, isInput: false);
        if (model.MaxBatchSize > 0)
            json.Raw(",\"dynamic_batching\":{\"preferred_batch_size\":"u8).List([.. model.PreferredBatchSizes])
                .Raw(",\"max_queue_delay_microseconds\":"u8).Number((long)model.QueueDelay.TotalMicroseconds).Raw("}"u8);
        json.Raw(",\"instance_group\":[{\"name\":"u8).Text(model.Name).Raw(",\"kind\":\"KIND_CPU\",\"count\":1,\"gpus\":[]}],\"default_model_filename\":"u8)
            .Text(SealedModelLoader.ModelEntry).Raw(",\"parameters\":{}}"u8);
    }

    private static void WriteTensors(JsonOutput json, IReadOnlyList<TensorInfo> tensors)
    {
        json.Raw("["u8);
        for (int i = 0; i < tensors.Count; i++)
        {
            if (i > 0) json.Raw(","u8);
            json.Raw("{\"name\":"u8).Text(tensors[i].Name).Raw(",\"datatype\":"u8).Text(TensorTypes.OpenInference(tensors[i].Type))
                .Raw(",\"shape\":"u8).List([.. tensors[i].Shape]).Raw("}"u8);
        }
        json.Raw("]"u8);
    }

    private static void WriteConfigured(JsonOutput json, IReadOnlyList<ConfiguredTensor> tensors, bool isInput)
    {
        json.Raw("["u8);
        for (int i = 0; i < tensors.Count; i++)
        {
            if (i > 0) json.Raw(","u8);
            json.Raw("{\"name\":"u8).Text(tensors[i].Name).Raw(",\"data_type\":"u8).Text(tensors[i].DataType);
            if (isInput) json.Raw(",\"format\":\"FORMAT_NONE\""u8);
            json.Raw(",\"dims\":"u8).List([.. tensors[i].Dims]).Raw("}"u8);
        }
        json.Raw("]"u8);
    }
}
