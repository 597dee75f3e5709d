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
        routes.Map("/v1/{**rest}", SurfaceEndpoint.Of(http => AnswerAsync(http, service), Errors, service.Logger));

    private static Task AnswerAsync(HttpContext http, PredictionService service)
    {
        bool get = HttpMethods.IsGet(http.Request.Method), post = HttpMethods.IsPost(http.Request.Method);
        if (TensorFlowPath.Parse(http.Request.Path.Value ?? "") is not { } path || (path.Verb is "" or "metadata" ? !get : !post))
            throw new ServingException(ServingError.InvalidRequest, $"Malformed request: {http.Request.Method} {http.Request.Path}");
        if (path.Label is not null)
            throw new ServingException(ServingError.VersionNotFound, $"Model '{path.Model}' has no version label '{path.Label}'; ask for it without one.");
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
        ServedModel model = service.Admit(http, path.Model, path.Version);
        using PredictRequest request = await ReadAsync(http, service, model);
        Tensor[] outputs = await service.PredictAsync(model, request.Inputs!, null, http.RequestAborted);
        try
        {
            using var json = new JsonOutput();
            PredictResponse.Write(json, model.Engine.Outputs, outputs, request.IsRow);
            await SurfaceEndpoint.SendAsync(http, json);
        }
        finally
        {
            foreach (Tensor output in outputs) output.Dispose();
        }
    }

    private static async ValueTask<PredictRequest> ReadAsync(HttpContext http, PredictionService service, ServedModel model)
    {
        using RequestBody body = await RequestBody.ReadAsync(http, model.MaximumRequestBytes);
        return PredictRequestReader.Read(body.Span, model, service.Pool);
    }

    private static async Task MetadataAsync(HttpContext http, PredictionService service, TensorFlowPath path)
    {
        using var json = new JsonOutput();
        ModelDocuments.WriteMetadata(json, service.Open(http, path.Model, path.Version));
        await SurfaceEndpoint.SendAsync(http, json);
    }

    // Open to probes, as the Open Inference Protocol's readiness is.
    private static async Task StatusAsync(HttpContext http, PredictionService service, TensorFlowPath path)
    {
        ModelSlot slot = service.Repository.Find(path.Model);
        if (slot.Model is { } model) PredictionService.DemandVersion(model, path.Version);
        using var json = new JsonOutput();
        ModelDocuments.WriteStatus(json, slot);
        await SurfaceEndpoint.SendAsync(http, json);
    }
}
