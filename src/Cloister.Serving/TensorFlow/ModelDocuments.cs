using Cloister.Onnx.Runtime;
using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;

namespace Cloister.Serving.TensorFlow;

/// <summary>TF Serving's documents about a model, in the JSON form of its protobuf messages, white space included.</summary>
internal static class ModelDocuments
{
    /// <summary><c>GetModelStatusResponse</c>. A version that was refused is END, with the reason as its error message.</summary>
    public static void WriteStatus(JsonOutput json, IReadOnlyList<VersionStatus> versions)
    {
        json.Raw("{\n \"model_version_status\": [\n"u8);
        for (int i = 0; i < versions.Count; i++)
        {
            VersionStatus version = versions[i];
            if (i > 0) json.Raw(",\n"u8);
            json.Raw("  {\n   \"version\": \""u8).Number(version.Version).Raw("\",\n   \"state\": "u8).Text(ModelStatuses.Name(version.State))
                .Raw(",\n   \"status\": {\n    \"error_code\": "u8).Text(version.Reason is null ? "OK" : "FAILED_PRECONDITION")
                .Raw(",\n    \"error_message\": "u8).Text(version.Reason?.Message ?? "").Raw("\n   }\n  }"u8);
        }
        json.Raw("\n ]\n}\n"u8);
    }

    /// <summary><c>GetModelMetadataResponse</c> with the model's signatures.</summary>
    public static void WriteMetadata(JsonOutput json, ServedModel model)
    {
        json.Raw("{\n\"model_spec\":{\n \"name\": "u8).Text(model.Name).Raw(",\n \"signature_name\": \"\",\n \"version\": \""u8).Number(model.Version)
            .Raw("\"\n}\n,\n\"metadata\": {\"signature_def\": {\n \"signature_def\": {"u8);
        bool first = true;
        foreach (SignatureDefinition signature in SignatureDefinition.Of(model))
        {
            json.Raw(first ? "\n  "u8 : ",\n  "u8).Text(signature.Name).Raw(": {\n   \"inputs\": {"u8);
            WriteTensors(json, signature.Inputs);
            json.Raw("\n   },\n   \"outputs\": {"u8);
            WriteTensors(json, signature.Outputs);
            json.Raw("\n   },\n   \"method_name\": "u8).Text(signature.Method).Raw(",\n   \"defaults\": {}\n  }"u8);
            first = false;
        }
        json.Raw("\n }\n}\n}\n}\n"u8);
    }

    private static void WriteTensors(JsonOutput json, IReadOnlyList<TensorInfo> tensors)
    {
        for (int i = 0; i < tensors.Count; i++)
        {
            json.Raw(i > 0 ? ",\n    "u8 : "\n    "u8).Text(tensors[i].Name).Raw(": {\n     \"dtype\": "u8).Text(TensorTypes.TensorFlow(tensors[i].Type)).Raw(",\n     \"tensor_shape\": {\n      \"dim\": ["u8);
            for (int d = 0; d < tensors[i].Shape.Count; d++)
                json.Raw(d > 0 ? ",\n       {\n        \"size\": \""u8 : "\n       {\n        \"size\": \""u8).Number(tensors[i].Shape[d]).Raw("\",\n        \"name\": \"\"\n       }"u8);
            json.Raw(tensors[i].Shape.Count > 0 ? "\n      ],\n"u8 : "],\n"u8).Raw("      \"unknown_rank\": false\n     },\n     \"name\": "u8).Text(tensors[i].Name).Raw("\n    }"u8);
        }
    }
}
