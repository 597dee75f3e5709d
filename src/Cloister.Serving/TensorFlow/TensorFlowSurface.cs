using Cloister.Serving.Engines;
using Cloister.Serving.Json;
using Cloister.Serving.Repository;
using Cloister.Serving.Surfaces;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Cloister.Serving.TensorFlow;

/// <summary>TF Serving's REST API: predict, metadata and status (tensorflow/serving, g3doc/api_rest.md).</summary>
internal sealed class TensorFlowSurface : IServingSurface
{
    private static readonly TensorFlowErrors Errors = new();

    public void Map(IEndpointRouteBuilder routes, PredictionService service) =>
        routes.Map("/v1/{**rest}", SurfaceEndpoint.Of(http => AnswerAsync(http, service), Errors, service, ""));

    private static Task AnswerAsync(HttpContext http, PredictionService service)
    {
        bool get = HttpMethods.IsGet(http.Request.Method), post = HttpMethods.IsPost(http.Request.Method);
        if (TensorFlowPath.Parse(http.Request.Path.Value ?? "") is not { } path || (path.Verb is "" or "metadata" ? !get : !post))
            throw new ServingException(ServingError.InvalidRequest, $"Malformed request: {http.Request.Method} {http.Request.Path}");
        RequestRecord.Of(http)!.Method = path.Verb is "" ? "status" : path.Verb;
        return path.Verb switch
        {
            "predict" => PredictAsync(http, service, path),
            "metadata" => MetadataAsync(http, service, path),
            "" => StatusAsync(http, service, path),
            _ => throw new ServingException(ServingError.Unsupported, $"An ONNX model has no {path.Verb} signature; use :predict."),
        };
    }

    private static async Task PredictAsync(HttpContext http, PredictionService service, TensorFlowPath path)
    {
        using ModelLease lease = service.Admit(http, path.Model, path.Choice);
        using PredictRequest request = await ReadAsync(http, service, lease.Model);
        using Prediction prediction = await service.PredictAsync(http, lease, request.Inputs!, null, http.RequestAborted);
        using var json = new JsonOutput();
        PredictResponse.Write(json, lease.Model.Engine.Outputs, prediction.Outputs, request.IsRow);
        await SurfaceEndpoint.SendAsync(http, json);
    }

    private static async ValueTask<PredictRequest> ReadAsync(HttpContext http, PredictionService service, ServedModel model)
    {
        using RequestBody body = await RequestBody.ReadAsync(http, model.MaximumRequestBytes);
        return PredictRequestReader.Read(body.Span, model, service.Pool);
    }

    private static async Task MetadataAsync(HttpContext http, PredictionService service, TensorFlowPath path)
    {
        using var json = new JsonOutput();
        using ModelLease lease = service.Open(http, path.Model, path.Choice);
        ModelDocuments.WriteMetadata(json, lease.Model);
        await SurfaceEndpoint.SendAsync(http, json);
    }

    // Open to probes, as the Open Inference Protocol's readiness is.
    private static async Task StatusAsync(HttpContext http, PredictionService service, TensorFlowPath path)
    {
        ModelSlot slot = service.Repository.Find(path.Model);
        if (path.Choice != VersionChoice.Newest && slot.State == ModelState.Ready) slot.Require(path.Choice);
        using var json = new JsonOutput();
        ModelDocuments.WriteStatus(json, slot);
        await SurfaceEndpoint.SendAsync(http, json);
    }
}
