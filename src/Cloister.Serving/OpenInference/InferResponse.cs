using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;

namespace Cloister.Serving.OpenInference;

/// <summary>Writes an inference response (<c>$inference_response</c>).</summary>
internal static class InferResponse
{
    public static void Write(JsonOutput json, ServedModel model, InferRequest request, Tensor[] outputs)
    {
        json.Raw("{\"model_name\":"u8).Text(model.Name).Raw(",\"model_version\":\""u8).Number(model.Version).Raw("\""u8);
        if (request.Id is not null) json.Raw(",\"id\":"u8).Text(request.Id);
        json.Raw(",\"outputs\":["u8);
        if (request.Outputs.Count == 0)
            for (int i = 0; i < outputs.Length; i++) WriteOutput(json, model, outputs, new RequestedOutput(i, 0), i == 0);
        for (int i = 0; i < request.Outputs.Count; i++) WriteOutput(json, model, outputs, request.Outputs[i], i == 0);
        json.Raw("]}"u8);
    }

    private static void WriteOutput(JsonOutput json, ServedModel model, Tensor[] outputs, RequestedOutput requested, bool first)
    {
        string name = model.Engine.Outputs[requested.Index].Name;
        Tensor tensor = outputs[requested.Index];
        if (requested.Classes > 0) tensor = Classification.Of(tensor, name, requested.Classes, model.Labels);
        if (!first) json.Raw(","u8);
        json.Raw("{\"name\":"u8).Text(name);
        json.Raw(",\"datatype\":\""u8).Raw(System.Text.Encoding.ASCII.GetBytes(TensorTypes.OpenInference(tensor.Type)));
        json.Raw("\",\"shape\":"u8).List(tensor.Shape).Raw(",\"data\":["u8);
        TensorJson.Write(json, tensor, 0, checked((int)tensor.ElementCount), FloatStyle.Shortest, ","u8);
        json.Raw("]}"u8);
    }
}
