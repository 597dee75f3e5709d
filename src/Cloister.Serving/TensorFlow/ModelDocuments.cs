using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;

namespace Cloister.Serving.TensorFlow;

/// <summary>TF Serving's documents about a model, in the JSON form of its protobuf messages.</summary>
internal static class ModelDocuments
{
    /// <summary><c>GetModelStatusResponse</c>. A model that was refused is END, with the reason as its error message.</summary>
    public static void WriteStatus(JsonOutput json, ModelSlot slot)
    {
        json.Raw("{\n \"model_version_status\": [\n"u8);
        for (int i = 0; i < slot.Versions.Length; i++)
        {
            VersionStatus version = slot.Versions[i];
            if (i > 0) json.Raw(",\n"u8);
            json.Raw("  {\n   \"version\": \""u8).Number(version.Version).Raw("\",\n   \"state\": "u8)
                .Text(version.State switch
                {
                    ModelVersionState.Start => "START",
                    ModelVersionState.Loading => "LOADING",
                    ModelVersionState.Available => "AVAILABLE",
                    ModelVersionState.Unloading => "UNLOADING",
                    _ => "END",
                })
                .Raw(",\n   \"status\": {\n    \"error_code\": "u8).Text(version.Reason is null ? "OK" : "FAILED_PRECONDITION")
                .Raw(",\n    \"error_message\": "u8).Text(version.Reason?.Message ?? "").Raw("\n   }\n  }"u8);
        }
        json.Raw("\n ]\n}\n"u8);
    }

    /// <summary><c>GetModelMetadataResponse</c> with the one signature that an ONNX model has.</summary>
    public static void WriteMetadata(JsonOutput json, ServedModel model)
    {
        json.Raw("{\"model_spec\":{\"name\":"u8).Text(model.Name).Raw(",\"signature_name\":\"\",\"version\":\""u8).Number(model.Version)
            .Raw("\"},\"metadata\":{\"signature_def\":{\"signature_def\":{\"serving_default\":{\"inputs\":{"u8);
        WriteTensors(json, model.Engine.Inputs);
        json.Raw("},\"outputs\":{"u8);
        WriteTensors(json, model.Engine.Outputs);
        json.Raw("},\"method_name\":\"tensorflow/serving/predict\"}}}}}"u8);
    }

    private static void WriteTensors(JsonOutput json, IReadOnlyList<TensorInfo> tensors)
    {
        for (int i = 0; i < tensors.Count; i++)
        {
            if (i > 0) json.Raw(","u8);
            json.Text(tensors[i].Name).Raw(":{\"dtype\":"u8).Text(TensorTypes.TensorFlow(tensors[i].Type)).Raw(",\"tensor_shape\":{\"dim\":["u8);
            for (int d = 0; d < tensors[i].Shape.Count; d++)
                json.Raw(d > 0 ? ",{\"size\":\""u8 : "{\"size\":\""u8).Number(tensors[i].Shape[d]).Raw("\",\"name\":\"\"}"u8);
            json.Raw("],\"unknown_rank\":false},\"name\":"u8).Text(tensors[i].Name).Raw("}"u8);
        }
    }
}
